"""Metrics and bootstrap intervals of a results file in NumPy, for `npm run bench -- score`.

python score.py FOLDER: reads job.json {samples, seed} and results.jsonl (orjson, the fastest reader of such lines that
Python has); HR, NDCG and MRR at 1, 3, 5, 10, 20 and 50, and their 95 % percentile intervals over users. Resamples are drawn
in both ways that NumPy has: user by user, by bincount and a product for many samples at once; and as multinomial counts of
equal users. Prints {"seconds": reading to intervals with the faster one, "reading", "byUsers", "byCategories": in all with
either, "metrics": {name: [mean, low, high]} of HR@10 and NDCG@10}.
"""
import json
import pathlib
import sys
import time

import numpy as np
import orjson

folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
KS = (1, 3, 5, 10, 20, 50)
TOGETHER = 50


def read():
    users, targets, lists = [], [], []
    with open(folder / "results.jsonl", "rb") as lines:
        for line in lines:
            row = orjson.loads(line)
            users.append(row["user"])
            targets.append(row["target"])
            lists.append(row["items"])
    return users, np.array(targets), np.array(lists)


def measures(targets, lists):
    hit = lists == targets[:, None]
    rank = np.where(hit.any(1), hit.argmax(1) + 1, 0)
    names, columns = [], []
    for k in KS:
        inside = (rank >= 1) & (rank <= k)
        safe = np.maximum(rank, 1)
        for name, gain in (("HR", 1.0), ("NDCG", 1 / np.log2(safe + 1)), ("MRR", 1 / safe)):
            names.append(f"{name}@{k}")
            columns.append(np.where(inside, gain, 0.0))
    return names, np.stack(columns, 1)


def by_user(users, values):
    _, of = np.unique(users, return_inverse=True)
    sums = np.stack([np.bincount(of, column) for column in values.T] + [np.bincount(of).astype(float)], 1)
    return np.ascontiguousarray(sums)


def draw_users(sums, random, samples):
    n = len(sums)
    drawn = np.empty((samples, sums.shape[1]))
    counts = np.empty((TOGETHER, n))
    for s in range(0, samples, TOGETHER):
        some = counts[: samples - s]
        for row in some:
            row[:] = np.bincount(random.integers(0, n, n, dtype=np.int32), minlength=n)
        drawn[s : s + TOGETHER] = some @ sums
    return drawn


def draw_categories(sums, random, samples):
    n = len(sums)
    categories, counts = np.unique(sums, axis=0, return_counts=True)
    return random.multinomial(n, counts / n, size=samples) @ categories


def intervals(samples):
    return np.percentile(samples[:, :-1] / samples[:, -1:], (2.5, 97.5), axis=0)


start = time.perf_counter()
users, targets, lists = read()
reading = time.perf_counter() - start
names, values = measures(targets, lists)
sums = by_user(users, values)
prepared = time.perf_counter() - start

random = np.random.default_rng(job["seed"])
taken = {}
for way, draw in (("byUsers", draw_users), ("byCategories", draw_categories)):
    again = time.perf_counter()
    low, high = intervals(draw(sums, random, job["samples"]))
    taken[way] = prepared + time.perf_counter() - again

mean = values.mean(0)
metrics = {name: [float(mean[i]), float(low[i]), float(high[i])] for i, name in enumerate(names)
           if name in ("HR@10", "NDCG@10")}
print(json.dumps({"seconds": min(taken.values()), "reading": reading, **taken, "metrics": metrics}))
