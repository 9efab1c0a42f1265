// The optimal assignment of items to clusters of limited size: the prices of lib/sid/balanced/assignment-prices.ts and the paths
// of lib/sid/balanced/balanced-assign.ts, which are the plain face and say how it works, in loops that compilers vectorise.
// Costs are kept turned as well, so that a cluster's lie together. Whole numbers in float64 throughout: exact.
//
// N items, K clusters; node K is the ground.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "op.h"

namespace sidlab {

constexpr double kNone = std::numeric_limits<double>::infinity();

struct Problem {
  int32_t items, clusters;
  const int32_t* costs;         // [N, K]
  const int32_t *lower, *upper;  // [K]
  std::vector<int32_t> turned;  // [K, N]

  const int32_t* row(int32_t i) const { return costs + static_cast<int64_t>(i) * clusters; }
  const int32_t* column(int32_t k) const { return turned.data() + static_cast<int64_t>(k) * items; }
};

// In blocks that stay in the nearest cache.
inline void turn(Problem& problem) {
  constexpr int32_t kBlock = 32;
  const int64_t items = problem.items, clusters = problem.clusters;
  problem.turned.resize(items * clusters);
  int32_t* turned = problem.turned.data();
#pragma omp parallel for schedule(static) if (items * clusters > kAlone)
  for (int64_t k0 = 0; k0 < clusters; k0 += kBlock) {
    const int64_t k1 = std::min(k0 + kBlock, clusters);
    for (int64_t i0 = 0; i0 < items; i0 += kBlock) {
      const int64_t i1 = std::min(i0 + kBlock, items);
      for (int64_t k = k0; k < k1; ++k) {
        for (int64_t i = i0; i < i1; ++i) turned[k * items + i] = problem.costs[i * clusters + k];
      }
    }
  }
}

// Ascent on the dual, one cluster at a time.
class Prices {
 public:
  Prices(const Problem& problem, double* prices)
      : problem_(problem), prices_(prices), best_(problem.items), second_(problem.items), bestCost_(problem.items),
        secondCost_(problem.items), sizes_(problem.clusters), leaves_(problem.items) {}

  // Returns each item's cheapest cluster at the prices.
  const std::vector<int32_t>& raise(int32_t sweeps) {
#pragma omp parallel if (static_cast<int64_t>(problem_.items) * problem_.clusters > kAlone)
    {
      std::vector<double> costs(problem_.clusters);
#pragma omp for schedule(static)
      for (int32_t i = 0; i < problem_.items; ++i) choose(i, costs.data());
    }
    for (int32_t k : best_) ++sizes_[k];
    bool changed = true;
    for (int32_t sweep = 0; changed && sweep < sweeps; ++sweep) {
      changed = false;
      for (int32_t k = 0; k < problem_.clusters; ++k) changed |= raiseOne(k);
    }
    return best_;
  }

 private:
  bool raiseOne(int32_t k) {
    const int32_t lower = problem_.lower[k], upper = problem_.upper[k];
    const int32_t room = prices_[k] > 0 ? upper : lower;  // what fits its price
    if (sizes_[k] == room || (prices_[k] == 0 && sizes_[k] >= room && sizes_[k] <= upper)) return false;
    const double price = bestPrice(k);
    if (price == prices_[k]) return false;
    prices_[k] = price;
    reprice(k);
    return true;
  }

  // Both choices of an item; ties to the lower cluster. `costs` is room for K.
  void choose(int32_t i, double* costs) {
    const int32_t* row = problem_.row(i);
    const int32_t clusters = problem_.clusters;
    double least = kNone;
#pragma omp simd reduction(min : least)
    for (int32_t k = 0; k < clusters; ++k) {
      costs[k] = row[k] + prices_[k];
      least = std::min(least, costs[k]);
    }
    bestCost_[i] = least;
    best_[i] = std::find(costs, costs + clusters, least) - costs;
    costs[best_[i]] = kNone;
    least = kNone;
#pragma omp simd reduction(min : least)
    for (int32_t k = 0; k < clusters; ++k) least = std::min(least, costs[k]);
    secondCost_[i] = least;
    second_[i] = std::find(costs, costs + clusters, least) - costs;
  }

  // The dual's best price of cluster `k`, the middle of the best ones.
  double bestPrice(int32_t k) {
    constexpr int32_t kBlock = 64;
    const int32_t items = problem_.items, upper = problem_.upper[k], lower = problem_.lower[k];
    const int32_t* column = problem_.column(k);
    const size_t room = std::min<int64_t>(static_cast<int64_t>(upper) + 1, items);
    double* leaves = leaves_.data();  // the price at which an item leaves k
    top_.clear();                     // a heap, its smallest first
    for (int32_t first = 0; first < items; first += kBlock) {
      const int32_t last = std::min(first + kBlock, items);
      double most = -kNone;
#pragma omp simd reduction(max : most)
      for (int32_t i = first; i < last; ++i) {
        leaves[i] = (best_[i] == k ? secondCost_[i] : bestCost_[i]) - column[i];
        most = std::max(most, leaves[i]);
      }
      for (int32_t i = first; i < last && (top_.size() < room || most > top_.front()); ++i) {
        if (top_.size() == room && leaves[i] <= top_.front()) continue;
        if (top_.size() == room) {
          std::pop_heap(top_.begin(), top_.end(), std::greater<double>());
          top_.pop_back();
        }
        top_.push_back(leaves[i]);
        std::push_heap(top_.begin(), top_.end(), std::greater<double>());
      }
    }
    std::sort(top_.begin(), top_.end(), std::greater<double>());
    const int64_t held = top_.size();
    const auto nth = [&](int64_t rank) { return rank <= held ? top_[rank - 1] : -kNone; };  // from 1
    if (held > upper && nth(upper + 1) > 0) return std::floor((nth(upper) + nth(upper + 1)) / 2);
    if (lower > 0 && nth(lower) < 0) return lower < held ? std::ceil((nth(lower) + nth(lower + 1)) / 2) : nth(lower);
    return 0;
  }

  // Brings all choices up to date after the price of cluster `k` changed.
  void reprice(int32_t k) {
    constexpr int32_t kBlock = 64;
    const int32_t* column = problem_.column(k);
    const double price = prices_[k];
    costs_.resize(problem_.clusters);
    for (int32_t first = 0; first < problem_.items; first += kBlock) {
      const int32_t last = std::min(first + kBlock, problem_.items);
      int32_t touched = 0;
#pragma omp simd reduction(+ : touched)
      for (int32_t i = first; i < last; ++i) {
        touched += (best_[i] == k) | (second_[i] == k) | (column[i] + price < secondCost_[i]);
      }
      for (int32_t i = first; touched > 0 && i < last; ++i) repriceItem(i, k, column[i] + price);
    }
  }

  void repriceItem(int32_t i, int32_t k, double cost) {
    if (best_[i] == k) {
      if (cost <= secondCost_[i]) {
        bestCost_[i] = cost;
        return;
      }
      choose(i, costs_.data());
      --sizes_[k];
      ++sizes_[best_[i]];
    } else if (cost < bestCost_[i]) {
      --sizes_[best_[i]];
      ++sizes_[k];
      second_[i] = best_[i];
      secondCost_[i] = bestCost_[i];
      best_[i] = k;
      bestCost_[i] = cost;
    } else if (second_[i] == k) {
      if (cost <= secondCost_[i]) secondCost_[i] = cost;
      else choose(i, costs_.data());
    } else if (cost < secondCost_[i]) {
      second_[i] = k;
      secondCost_[i] = cost;
    }
  }

  const Problem& problem_;
  double* prices_;                             // [K]
  std::vector<int32_t> best_, second_;         // [N]
  std::vector<double> bestCost_, secondCost_;  // [N]
  std::vector<int32_t> sizes_;                 // [K] items that choose the cluster
  std::vector<double> leaves_, top_, costs_;
};

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
    const int32_t clusters = problem_.clusters, own = problem_.row(i)[cluster_[i]];
    const int32_t* row = problem_.row(i);
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
        const double cost = column[j] - own[j];
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
  std::vector<int32_t> excess_;                // [K + 1] items too many; negative where there is room
  std::vector<double> distance_, open_;        // [K + 1] of a search; `open_` infinite where settled
  std::vector<int32_t> from_, settled_;
};

// Every item to a cluster, at the least cost. `prices` [K]: to start from, and the optimum's.
inline std::vector<int32_t> assign(Problem& problem, double* prices, int32_t sweeps) {
  turn(problem);
  const int32_t clusters = problem.clusters;
  std::vector<double> all(prices, prices + clusters);
  all.push_back(0);  // the ground's
  Network network(problem, all.data(), Prices(problem, all.data()).raise(sweeps));
  network.settle();
  for (int32_t k = 0; k < clusters; ++k) prices[k] = all[k] - all[clusters];
  return network.cluster();
}

}  // namespace sidlab
