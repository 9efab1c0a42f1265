"""Residual k-means by scikit-learn, for `npm run bench -- kmeans`.

python kmeans.py FOLDER: reads vectors.npy, start-LEVEL.npy (the first centres) and job.json {levels,
iterations}; prints {"precision", "seconds", "inertia": [per level], "rounds": [per level]}. tol = 0: until no row changes its code, as ours.
"""
import json
import pathlib
import sys
import time
import warnings

import numpy as np
from sklearn.cluster import KMeans

# float32: bf16 has three digits, too few to tell which of 256 centres is nearest, and scikit-learn has no bf16.
warnings.filterwarnings("ignore")
folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
residual = np.load(folder / "vectors.npy")
starts = [np.load(folder / f"start-{level}.npy") for level in range(job["levels"])]
inertia, rounds, seconds = [], [], 0.0
for start in starts:
    begin = time.perf_counter()
    model = KMeans(len(start), init=start, n_init=1, max_iter=job["iterations"], tol=0).fit(residual)
    residual = residual - model.cluster_centers_[model.labels_]
    seconds += time.perf_counter() - begin
    inertia.append(float(model.inertia_))
    rounds.append(int(model.n_iter_))
print(json.dumps({"precision": "float32", "seconds": seconds, "inertia": inertia, "rounds": rounds}))
