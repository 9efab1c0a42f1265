"""recbole.json: random lists without ties, and what RecBole's own metric classes say of them.

pip install numpy scikit-learn torch && pip install --no-deps recbole==1.2.1 && python test/golden/recbole/make_recbole.py

`recbole.utils` imports much that no metric needs; of it the metrics take the enumeration of their kinds alone, which is
read from its own file. Item ids are from 0 and `num_items` is their number: RecBole's data sets count a padding item too.
"""
import importlib.util
import json
import pathlib
import random
import sys
import types
from collections import Counter

import numpy as np
import torch

np.float = float  # a name that NumPy had when RecBole 1.2.1 was written

package = pathlib.Path(importlib.util.find_spec("recbole").origin).parent


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


for name in ("recbole", "recbole.evaluator"):
    sys.modules[name] = types.ModuleType(name)
load("recbole.utils", package / "utils/enum_type.py")
load("recbole.evaluator.utils", package / "evaluator/utils.py")
load("recbole.evaluator.base_metric", package / "evaluator/base_metric.py")
metrics = load("recbole.evaluator.metrics", package / "evaluator/metrics.py")

random.seed(11)
ITEMS, ROWS, LONGEST, KS = 60, 150, 20, [1, 3, 5, 10, 20]
counts = [0 if random.random() < 0.15 else int(1 + 40 * random.random() ** 4) for _ in range(ITEMS)]
liked = sorted(range(ITEMS), key=lambda item: -counts[item] - 8 * random.random())
lists = [sorted(random.sample(liked[:50], LONGEST), key=lambda item: liked.index(item) + 30 * random.random())
         for _ in range(ROWS)]
targets = [random.choice(row) if random.random() < 0.5 else random.randrange(ITEMS) for row in lists]

hits = np.array([[item == target for item in row] for row, target in zip(lists, targets)])
data = {
    "rec.topk": torch.tensor(np.concatenate([hits, np.ones((ROWS, 1))], 1).astype(int)),
    "rec.items": torch.tensor(lists),
    "data.num_items": ITEMS,
    "data.count_items": Counter({item: count for item, count in enumerate(counts) if count > 0}),
}
config = {"topk": KS, "metric_decimal_place": 15, "tail_ratio": 0.1}
names = ("Hit", "Recall", "NDCG", "MRR", "MAP", "Precision", "ItemCoverage", "AveragePopularity", "GiniIndex",
         "ShannonEntropy", "TailPercentage")
found = {name: [float(x) for x in getattr(metrics, name)(config).calculate_metric(data).values()] for name in names}
golden = {"items": ITEMS, "counts": counts, "targets": targets, "lists": lists, "ks": KS, "metrics": found}
path = pathlib.Path(__file__).parent / "recbole.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(path.stat().st_size, found)
