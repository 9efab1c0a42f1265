"""Golden files of OR-tools and POT for test/sid/balanced-assign.test.ts and test/sid/sinkhorn.test.ts.

Run: pip install numpy ortools POT && python test/golden/make_assignment.py   (writes assignment.json and sinkhorn.json
beside itself)
"""
import importlib.metadata
import json
import pathlib

import numpy as np
import ot
from ortools.graph.python import min_cost_flow

here = pathlib.Path(__file__)
rng = np.random.default_rng(0)


def optimum(costs, lower, upper):
    """Items -> clusters -> sink; each cluster demands its lower size, the sink the rest."""
    n, k = costs.shape
    flow = min_cost_flow.SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(
        np.repeat(np.arange(n), k), n + np.tile(np.arange(k), n), np.ones(n * k, int), costs.ravel()
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        n + np.arange(k), np.full(k, n + k), np.asarray(upper) - lower, np.zeros(k, int)
    )
    supplies = np.concatenate([np.ones(n, int), -np.asarray(lower), [-(n - sum(lower))]])
    flow.set_nodes_supplies(np.arange(n + k + 1), supplies)
    assert flow.solve() == flow.OPTIMAL
    return int(flow.optimal_cost())


def case(name, costs, lower, upper):
    return {
        "name": name,
        "items": costs.shape[0],
        "clusters": costs.shape[1],
        "costs": costs.ravel().tolist(),
        "lower": lower,
        "upper": upper,
        "cost": optimum(costs, lower, upper),
    }


def points(n, k, spread):
    x, c = rng.normal(size=(n, 5)), rng.normal(size=(k, 5)) * spread
    return np.round(1000 * ((x[:, None] - c[None]) ** 2).sum(2)).astype(int)


cases = [
    case("even sizes, centres apart", points(60, 6, 1), [10] * 6, [10] * 6),
    case("one apart either way", points(100, 8, 0.6), [11] * 8, [13] * 8),
    case("lower limits alone bind", points(80, 8, 2), [8] * 8, [80] * 8),
    case("upper limits alone bind", points(80, 8, 2), [0] * 8, [12] * 8),
    case("limits of each its own", points(70, 5, 1), [0, 5, 30, 1, 7], [3, 40, 35, 9, 50]),
    case("many ties", rng.integers(0, 4, size=(90, 7)), [12] * 7, [14] * 7),
    case("one item a cluster", points(12, 12, 1), [1] * 12, [1] * 12),
    case("negative costs", rng.integers(-500, 500, size=(50, 9)), [5] * 9, [6] * 9),
]
here.with_name("assignment.json").write_text(
    json.dumps({"ortools": importlib.metadata.version("ortools"), "cases": cases}) + "\n"
)

plans = []
for n, k, epsilon in ((12, 4, 0.5), (9, 5, 0.05), (20, 3, 0.003)):
    costs = np.round(rng.uniform(-1, 1, size=(n, k)), 3)
    a = rng.uniform(0.5, 1.5, size=n)
    b = rng.uniform(0.5, 1.5, size=k)
    a, b = a / a.sum(), b / b.sum()
    plan = ot.bregman.sinkhorn_stabilized(a, b, costs, epsilon, numItermax=100_000, stopThr=1e-12)
    plans.append({"epsilon": epsilon, "costs": costs.tolist(), "a": a.tolist(), "b": b.tolist(), "plan": plan.tolist()})
here.with_name("sinkhorn.json").write_text(json.dumps({"pot": ot.__version__, "cases": plans}) + "\n")
