// The optimal assignment of items to clusters of limited size: prices at which most items fit, then paths for the rest, in
// loops that compilers vectorise. Costs are kept transposed as well, so that a cluster's lie together.
//
// N items, K clusters.
#pragma once

#include "assignment_paths.h"
#include "assignment_prices.h"

namespace sidlab {

// Every item to a cluster, at the least cost. `prices` [K]: to start from, and the optimum's.
inline std::vector<int32_t> assign(Problem& problem, double* prices, int32_t sweeps) {
  transposeCosts(problem);
  const int32_t clusters = problem.clusters;
  std::vector<double> all(prices, prices + clusters);
  all.push_back(0);  // the ground's
  for (int32_t k = 0; k < clusters; ++k) {
    if (problem.upper[k] > problem.items) all[k] = std::min(all[k], 0.0);  // never full, so never at a price
  }
  Network network(problem, all.data(), Prices(problem, all.data()).raise(sweeps));
  network.settle();
  for (int32_t k = 0; k < clusters; ++k) prices[k] = all[k] - all[clusters];
  return network.cluster();
}

}  // namespace sidlab
