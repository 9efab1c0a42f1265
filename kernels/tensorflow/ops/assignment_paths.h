// Items moved along shortest paths until every cluster has what it may: lib/sid/balanced/balanced-assign.ts, the plain
// implementation, says how. Whole numbers in float64 throughout: exact.
//
// N items, K clusters; node K is the ground.
#pragma once

#include "assignment_problem.h"

namespace sidlab {

// The clusters and the ground. An arc a -> b is the item of a that is cheapest to move to b.
class Network {
 public:
  Network(const Problem& problem, double* prices, const std::vector<int32_t>& choice)
      : problem_(problem), prices_(prices), nodes_(problem.clusters + 1), cluster_(choice), members_(problem.clusters),
        place_(problem.items), move_(static_cast<int64_t>(nodes_) * nodes_, kNone),
        mover_(static_cast<int64_t>(nodes_) * nodes_, -1), flow_(problem.clusters), excess_(nodes_), distance_(nodes_),
        open_(nodes_), from_(nodes_) {
    for (int32_t i = 0; i < problem.items; ++i) join(i, choice[i]);
    setFlows();
    spreadTies();
    for (int32_t i = 0; i < problem.items; ++i) offer(i);
    for (int32_t k = 0; k < problem.clusters; ++k) openGround(k);
  }

  // Moves unit after unit along shortest paths until no node has too much.
  void settle() {
    for (int32_t source = 0; source < nodes_; ++source) {
      for (; excess_[source] > 0; --excess_[source]) {
        const int32_t target = shortestPath(source);
        for (int32_t node = target; node != source; node = from_[node]) pass(from_[node], node);
        ++excess_[target];
      }
    }
  }

  const std::vector<int32_t>& cluster() const { return cluster_; }

 private:
  void join(int32_t i, int32_t k) {
    cluster_[i] = k;
    place_[i] = members_[k].size();
    members_[k].push_back(i);
  }

  void leave(int32_t i) {
    std::vector<int32_t>& own = members_[cluster_[i]];
    const int32_t last = own.back();
    own[place_[i]] = last;
    place_[last] = place_[i];
    own.pop_back();
  }

  // Flows to the ground that fit the prices: full at a positive one, least at a negative one.
  void setFlows() {
    excess_[problem_.clusters] = -problem_.items;
    for (int32_t k = 0; k < problem_.clusters; ++k) {
      const int32_t size = members_[k].size(), lower = problem_.lower[k], upper = problem_.upper[k];
      flow_[k] = prices_[k] > 0 ? upper : prices_[k] < 0 ? lower : std::min(upper, std::max(lower, size));
      excess_[k] = size - flow_[k];
      excess_[problem_.clusters] += flow_[k];
    }
  }

  // Items of full clusters that cost no more elsewhere go where there is room.
  void spreadTies() {
    for (int32_t a = 0; a < problem_.clusters; ++a) {
      if (excess_[a] <= 0) continue;
      const std::vector<int32_t> before = members_[a];
      for (int32_t i : before) {
        if (excess_[a] <= 0) break;
        const int32_t* row = problem_.row(i);
        const double now = row[a] + prices_[a];
        for (int32_t b = 0; b < problem_.clusters; ++b) {
          if (excess_[b] >= 0 || row[b] + prices_[b] > now) continue;
          leave(i);
          join(i, b);
          --excess_[a];
          ++excess_[b];
          break;
        }
      }
    }
  }

  // Item `i` as the one to move out of its cluster, where it is the cheapest.
  void offer(int32_t i) {
    const int32_t clusters = problem_.clusters;
    const int32_t* row = problem_.row(i);
    const double own = row[cluster_[i]];
    double* move = move_.data() + static_cast<int64_t>(cluster_[i]) * nodes_;
    int32_t* mover = mover_.data() + static_cast<int64_t>(cluster_[i]) * nodes_;
#pragma omp simd
    for (int32_t b = 0; b < clusters; ++b) {
      const double cost = row[b] - own;
      const bool cheaper = cost < move[b];
      move[b] = cheaper ? cost : move[b];
      mover[b] = cheaper ? i : mover[b];
    }
  }

  // Dijkstra from `source` to the nearest node with room, on costs reduced by the prices. Prices change so that the
  // path costs nothing.
  int32_t shortestPath(int32_t source) {
    std::fill(distance_.begin(), distance_.end(), kNone);
    std::fill(open_.begin(), open_.end(), kNone);
    settled_.clear();
    distance_[source] = 0;
    for (int32_t a = source;;) {
      const double reached = distance_[a];
      if (excess_[a] < 0) {
        for (int32_t s : settled_) prices_[s] += reached - distance_[s];
        return a;
      }
      settled_.push_back(a);
      open_[a] = kNone;
      const double nearest = relax(a, reached - prices_[a]);
      if (nearest == kNone) throw std::runtime_error("balancedAssign: no path; the limits cannot be met");
      a = std::find(open_.begin(), open_.end(), nearest) - open_.begin();
    }
  }

  // Relaxes the arcs of `a`. Reduced costs are not negative: no settled node comes nearer. Returns the distance of the
  // nearest open node.
  double relax(int32_t a, double base) {
    const double* move = move_.data() + static_cast<int64_t>(a) * nodes_;
    double *distance = distance_.data(), *open = open_.data();
    const double* prices = prices_;
    int32_t* from = from_.data();
    double nearest = kNone;
#pragma omp simd reduction(min : nearest)
    for (int32_t b = 0; b < nodes_; ++b) {
      const double reach = base + move[b] + prices[b];
      const bool nearer = reach < distance[b];
      distance[b] = nearer ? reach : distance[b];
      open[b] = nearer ? reach : open[b];
      from[b] = nearer ? a : from[b];
      nearest = std::min(nearest, open[b]);
    }
    return nearest;
  }

  // The arcs between cluster `k` and the ground, open while its flow can grow or shrink.
  void openGround(int32_t k) {
    const int64_t ground = problem_.clusters;
    move_[static_cast<int64_t>(k) * nodes_ + ground] = flow_[k] < problem_.upper[k] ? 0 : kNone;
    move_[ground * nodes_ + k] = flow_[k] > problem_.lower[k] ? 0 : kNone;
  }

  // One unit from node `a` to node `b`: an item moves, or a flow to the ground changes.
  void pass(int32_t a, int32_t b) {
    if (b == problem_.clusters) {
      ++flow_[a];
      openGround(a);
    } else if (a == problem_.clusters) {
      --flow_[b];
      openGround(b);
    } else {
      const int32_t i = mover_[static_cast<int64_t>(a) * nodes_ + b];
      leave(i);
      join(i, b);
      forget(a, i);
      offer(i);
    }
  }

  // Finds the cheapest moves out of `a` anew where they were item `i`'s, which has left.
  void forget(int32_t a, int32_t i) {
    double* move = move_.data() + static_cast<int64_t>(a) * nodes_;
    int32_t* mover = mover_.data() + static_cast<int64_t>(a) * nodes_;
    const int32_t* own = problem_.column(a);
    for (int32_t b = 0; b < problem_.clusters; ++b) {
      if (mover[b] != i) continue;
      const int32_t* column = problem_.column(b);
      move[b] = kNone;
      mover[b] = -1;
      for (int32_t j : members_[a]) {
        const double cost = static_cast<double>(column[j]) - own[j];
        if (cost < move[b]) {
          move[b] = cost;
          mover[b] = j;
        }
      }
    }
  }

  const Problem& problem_;
  double* prices_;  // [K + 1]
  int32_t nodes_;
  std::vector<int32_t> cluster_;               // [N]
  std::vector<std::vector<int32_t>> members_;  // of each cluster
  std::vector<int32_t> place_;                 // [N] of an item among its cluster's
  std::vector<double> move_;                   // [K + 1, K + 1] of the cheapest move; to and from the ground 0 or none
  std::vector<int32_t> mover_;                 // [K + 1, K + 1] the item that moves
  std::vector<int32_t> flow_;                  // [K] items that go on to the ground
  std::vector<int64_t> excess_;                // [K + 1] items too many; negative where there is room
  std::vector<double> distance_, open_;        // [K + 1] of a search; `open_` infinite where settled
  std::vector<int32_t> from_, settled_;
};

}  // namespace sidlab
