// Items to be assigned to clusters of limited size, each at a cost.
//
// N items, K clusters.
#pragma once

#include <algorithm>
#include <limits>

#include "op.h"

namespace sidlab {

constexpr double kNone = std::numeric_limits<double>::infinity();

// Beyond these, loops in steps would leave int32, and sums of costs would not be exact.
constexpr int64_t kMostItems = std::numeric_limits<int32_t>::max() - 64;
constexpr int64_t kMostClusters = 1 << 18;
constexpr double kMostPrice = 1125899906842624.0;  // 2^50, of the prices to start from

struct Problem {
  int32_t items, clusters;
  const int32_t* costs;         // [N, K]
  const int32_t *lower, *upper;  // [K]
  std::vector<int32_t> transposed;  // [K, N] the costs

  const int32_t* row(int32_t i) const { return costs + static_cast<int64_t>(i) * clusters; }
  const int32_t* column(int32_t k) const { return transposed.data() + static_cast<int64_t>(k) * items; }
};

// In blocks that stay in the nearest cache.
inline void transposeCosts(Problem& problem) {
  constexpr int32_t kBlock = 32;
  const int64_t items = problem.items, clusters = problem.clusters;
  problem.transposed.resize(items * clusters);
  int32_t* transposed = problem.transposed.data();
#pragma omp parallel for schedule(static) if (items * clusters > kAlone)
  for (int64_t k0 = 0; k0 < clusters; k0 += kBlock) {
    const int64_t k1 = std::min(k0 + kBlock, clusters);
    for (int64_t i0 = 0; i0 < items; i0 += kBlock) {
      const int64_t i1 = std::min(i0 + kBlock, items);
      for (int64_t k = k0; k < k1; ++k) {
        for (int64_t i = i0; i < i1; ++i) transposed[k * items + i] = problem.costs[i * clusters + k];
      }
    }
  }
}

}  // namespace sidlab
