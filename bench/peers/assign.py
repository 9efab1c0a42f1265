"""OR-tools' SimpleMinCostFlow on one balanced assignment, for `npm run bench -- balanced-assign`.

python assign.py FOLDER: reads costs.i32 (items x clusters, int32) and job.json {items, clusters, least, most}, prints
{"seconds", "cost"}. Whole numbers throughout, nothing is multiplied. Timed: filling in the arcs and the solve, what k-means-constrained does every round.
"""
import json
import pathlib
import sys
import time

import numpy as np
from ortools.graph.python import min_cost_flow


def assign(costs, least, most):
    """Items -> clusters -> sink; a cluster demands `least`, the sink the rest. Returns clusters and the cost."""
    n, k = costs.shape
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        np.repeat(np.arange(n), k), n + np.tile(np.arange(k), n), np.ones(n * k, int), costs.ravel()
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        n + np.arange(k), np.full(k, n + k), np.full(k, most - least), np.zeros(k, int)
    )
    flow.set_nodes_supplies(
        np.arange(n + k + 1), np.concatenate([np.ones(n, int), np.full(k, -least), [-(n - k * least)]])
    )
    assert flow.solve() == flow.OPTIMAL
    return flow.flows(arcs).reshape(n, k).argmax(1), int(flow.optimal_cost())


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    job = json.loads((folder / "job.json").read_text())
    costs = np.fromfile(folder / "costs.i32", np.int32).reshape(job["items"], job["clusters"])
    start = time.perf_counter()
    _, cost = assign(costs, job["least"], job["most"])
    print(json.dumps({"seconds": time.perf_counter() - start, "cost": cost}))
