// One balanced assignment (assignment.h). lib/sid/balanced/balanced-assign.ts is the plain face.
//
// N items, K clusters.
#include <algorithm>
#include <cstring>

#include "assignment.h"

namespace sidlab {
namespace {

// costs [N, K], limits [2, K], prices [K] as float64's bits [2 K], most sweeps [1] -> clusters [N], prices [2 K]
void balancedAssign(Call& call) {
  Problem problem;
  problem.items = call.dim(0, 0);
  problem.clusters = call.dim(0, 1);
  problem.costs = call.ints(0);
  problem.lower = call.ints(1);
  problem.upper = problem.lower + problem.clusters;
  std::vector<double> prices(problem.clusters);
  std::memcpy(prices.data(), call.ints(2), prices.size() * sizeof(double));
  const std::vector<int32_t> clusters = assign(problem, prices.data(), call.ints(3)[0]);
  std::copy(clusters.begin(), clusters.end(), call.intOutput({problem.items}));
  std::memcpy(call.intOutput({2 * problem.clusters}), prices.data(), prices.size() * sizeof(double));
}

}  // namespace

void registerBalancedAssign() {
  registerOp<balancedAssign>("SidlabBalancedAssign",
                             {"costs: int32", "limits: int32", "prices: int32", "sweeps: int32"},
                             {"clusters: int32", "next: int32"});
}

}  // namespace sidlab
