"""statistics.json: intervals and p-values of SciPy, for test/evaluate/statistics. Needs numpy and scipy.

python test/golden/evaluation/make_statistics.py
"""
import json
import pathlib

import numpy as np
from scipy import stats

random = np.random.default_rng(7)
K = 10


def ranks(n: int) -> np.ndarray:
    found = random.random(n) < 0.45
    return np.where(found, random.geometric(0.2, n).clip(1, 20), 0)


def gains(rank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    hit = (rank >= 1) & (rank <= K)
    return hit.astype(float), np.where(hit, 1 / np.log2(np.maximum(rank, 1) + 1), 0.0)


def interval(sums: np.ndarray, counts: np.ndarray) -> list[float]:
    ratio = lambda s, c, axis: s.sum(axis=axis) / c.sum(axis=axis)
    found = stats.bootstrap((sums, counts), ratio, paired=True, vectorized=True, method="percentile", n_resamples=200_000,
                            batch=2_000, rng=np.random.default_rng(11)).confidence_interval
    return [found.low, found.high]


def case(rows: np.ndarray, users: np.ndarray) -> dict:
    sums = [np.bincount(users, gain) for gain in gains(rows)]
    counts = np.bincount(users).astype(float)
    return {"ranks": rows.tolist(), "users": users.tolist(), "HR": interval(sums[0], counts),
            "NDCG": interval(sums[1], counts)}


def sign_flip(differences: np.ndarray, n: float) -> float:
    return stats.permutation_test((differences,), np.sum, permutation_type="samples", n_resamples=n,
                                  rng=np.random.default_rng(13)).pvalue


few = np.round(random.normal(0.3, 1, 11), 3)
hits = random.choice([-1.0, 0.0, 1.0], 16, p=[0.2, 0.4, 0.4])
many = random.normal(0.25, 1, 150)
sides = [[0.131, 0.142, 0.128], [0.119, 0.133, 0.121]]
golden = {
    "bootstrap": [case(ranks(80), np.arange(80)), case(ranks(150), np.unique(random.integers(0, 60, 150), return_inverse=True)[1])],
    "signFlip": {
        "exact": [{"differences": d.tolist(), "p": sign_flip(d, np.inf)} for d in (few, hits)],
        "drawn": [{"differences": many.tolist(), "p": sign_flip(many, 200_000)}],
    },
    "runs": {"sides": sides, "p": stats.permutation_test(sides, lambda a, b, axis: a.mean(axis) - b.mean(axis),
                                                          vectorized=True, n_resamples=np.inf).pvalue},
    "binomial": [{"n": n, "p": p, "pmf": stats.binom.pmf(np.arange(n + 1), n, p).tolist()}
                 for n, p in ((7, 0.3), (40, 0.2), (60, 0.5), (90, 0.85), (400, 0.03))],
}
pathlib.Path(__file__).with_name("statistics.json").write_text(json.dumps(golden) + "\n")
