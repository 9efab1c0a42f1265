// Prices of clusters at which their items fit: lib/sid/balanced/assignment-prices.ts, the plain implementation, says how
// they are found. Whole numbers in float64 throughout: exact.
//
// N items, K clusters.
#pragma once

#include <cmath>
#include <functional>

#include "assignment_problem.h"

namespace sidlab {

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
    if (held > upper && nth(upper + 1) > 0) {
      return upper == 0 ? nth(1) + 1 : std::floor((nth(upper) + nth(upper + 1)) / 2);  // beyond what any item pays
    }
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

}  // namespace sidlab
