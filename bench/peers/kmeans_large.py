"""faiss' ResidualQuantizer, for `npm run bench -- kmeans-large`.

python kmeans_large.py FOLDER: reads vectors.npy and job.json {levels, bits, iterations}; prints {"precision", "seconds", "mse"}. Beam 1
and plain k-means at every level (Train_default), as many rounds as ours, all rows (no sub-sampling): the same algorithm.
"""
import json
import pathlib
import sys
import time

import faiss
import numpy as np

# float32: bf16 has three digits, too few to tell which of 256 centres is nearest, and faiss trains in float32 alone.
folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
x = np.load(folder / "vectors.npy")
quantizer = faiss.ResidualQuantizer(x.shape[1], job["levels"], job["bits"])
quantizer.train_type = faiss.ResidualQuantizer.Train_default
quantizer.max_beam_size = 1
quantizer.cp.niter = job["iterations"]
quantizer.cp.max_points_per_centroid = len(x)
quantizer.cp.seed = 42
begin = time.perf_counter()
quantizer.train(x)
codes = quantizer.compute_codes(x)
seconds = time.perf_counter() - begin
mse = float(((x - quantizer.decode(codes)).astype(np.float64) ** 2).mean())
print(json.dumps({"precision": "float32", "seconds": seconds, "mse": mse}))
