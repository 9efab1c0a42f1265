"""Constrained residual k-means with OR-tools inside, for `npm run bench -- rqkmeans-constrained`.

python rqkmeans_constrained.py FOLDER: reads vectors.npy, start-LEVEL.npy (the first centres) and job.json
{levels, iterations, least, most}; prints {"precision", "seconds", "mse", "least", "most"}. A round is k-means-constrained's: float32
distances by a matrix product, scaled to whole numbers, the flow, the means; after the last round the assignment again.
"""
import json
import pathlib
import sys
import time

import numpy as np
from assign import assign

# float32: the distances become whole numbers of 20 bits, which a flow is exact about; bf16 has 8.
folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
x = np.load(folder / "vectors.npy")
starts = [np.load(folder / f"start-{level}.npy") for level in range(job["levels"])]


def clusters(rows, centres):
    distances = (centres * centres).sum(1)[None] - 2 * rows @ centres.T
    low, high = distances.min(), distances.max()
    costs = ((distances - low) * (job["scale"] / (high - low)) + 0.5).astype(np.int32)
    return assign(costs, job["least"], job["most"])[0]


begin = time.perf_counter()
residual = x.copy()
sizes = []
for start in starts:
    centres = start
    codes = clusters(residual, centres)
    for _ in range(job["iterations"]):
        sums = np.zeros_like(centres)
        np.add.at(sums, codes, residual)
        counts = np.bincount(codes, minlength=len(centres))
        centres = sums / counts[:, None]
        codes = clusters(residual, centres)
    sizes += np.bincount(codes, minlength=len(centres)).tolist()
    residual -= centres[codes]
seconds = time.perf_counter() - begin
mse = float((residual.astype(np.float64) ** 2).mean())
print(json.dumps({"precision": "float32", "seconds": seconds, "mse": mse, "least": min(sizes), "most": max(sizes)}))
