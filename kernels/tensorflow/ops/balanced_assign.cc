// One balanced assignment (assignment.h). lib/sid/balanced/balanced-assign.ts has the plain implementation.
//
// N items, K clusters.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "assignment.h"

namespace sidlab {
namespace {

// More would never end.
constexpr int32_t kMostSweeps = 10000;

void expectLimits(const Problem& problem) {
  int64_t least = 0, most = 0;
  for (int32_t k = 0; k < problem.clusters; ++k) {
    const int32_t lower = problem.lower[k], upper = problem.upper[k];
    expect(lower >= 0 && upper >= lower, "limits 0 <= lower <= upper, got ", lower, " and ", upper, " at ", k);
    least += lower;
    most += upper;
  }
  expect(least <= problem.items && most >= problem.items, "limits that ", problem.items, " items can meet, got ", least,
         " to ", most);
}

// costs, limits: lower and upper, prices: float64's bits, sweeps: at most -> clusters [N], next: prices' bits [2 K]
void balancedAssign(Call& call) {
  Problem problem;
  expectBetween("items", call['N'], 0, kMostItems);
  expectBetween("clusters", call['K'], 1, kMostClusters);
  problem.items = call['N'];
  problem.clusters = call['K'];
  problem.costs = call.ints(0);
  problem.lower = call.ints(1);
  problem.upper = problem.lower + problem.clusters;
  std::vector<double> prices(problem.clusters);
  std::memcpy(prices.data(), call.ints(2), prices.size() * sizeof(double));
  expectLimits(problem);
  for (double price : prices) {
    expect(std::abs(price) <= kMostPrice && price == std::floor(price), "whole prices of at most 2^50 in size, got ", price);
  }
  const int32_t sweeps = call.ints(3)[0];
  expectBetween("sweeps", sweeps, 0, kMostSweeps);
  const std::vector<int32_t> clusters = assign(problem, prices.data(), sweeps);
  std::copy(clusters.begin(), clusters.end(), call.intOutput({problem.items}));
  std::memcpy(call.intOutput({2 * problem.clusters}), prices.data(), prices.size() * sizeof(double));
}

}  // namespace

void registerBalancedAssign() {
  registerOp<balancedAssign>("SidlabBalancedAssign",
                             {"costs: int32 [N, K]", "limits: int32 [2, K]", "prices: int32 [2*K]",
                              "sweeps: int32 [1]"},
                             {"clusters: int32", "next: int32"});
}

}  // namespace sidlab
