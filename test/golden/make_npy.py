"""NumPy's own files for test/embed/npy.test.ts: one matrix in every kind that the kit reads.

Run: pip install numpy && python test/golden/make_npy.py   (writes npy/ beside itself)
"""
import json
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).with_name("npy")
HERE.mkdir(exist_ok=True)
matrix = np.array([[0.5, -2.0, 65504.0], [1.0 / 3.0, 5.9604645e-08, -0.0]])
kinds = {f"{order}{kind[1:]}-{'big' if kind[0] == '>' else 'little'}": (kind, order)
         for kind in ("<f2", "<f4", "<f8", ">f2", ">f4", ">f8") for order in "CF"}
values = {}
for name, (kind, order) in kinds.items():
    array = np.asarray(matrix, dtype=kind, order=order)
    np.save(HERE / f"{name}.npy", array)
    values[name] = np.asarray(array, dtype=np.float32).tolist()
for version in ((2, 0), (3, 0)):
    with open(HERE / f"version-{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, matrix.astype(np.float32), version=version)
    values[f"version-{version[0]}"] = matrix.astype(np.float32).tolist()
np.savez(HERE / "stored.npz", a=matrix.astype(np.float32), b=np.asfortranarray(matrix))
np.savez_compressed(HERE / "deflated.npz", a=np.tile(matrix.astype(np.float16), (8, 1)))
np.savez(HERE / "mixed.npz", ids=np.arange(3), a=matrix.astype(np.float32))
# Rounding to float16 and back, halfway cases included.
rng = np.random.default_rng(1)
some = np.concatenate([rng.normal(size=40), rng.normal(size=20) * 1e-6, [65519.9, 65520.0, 1e9, 2049.0, 2051.0, 6e-8, 2.9e-8, 3e-8]])
some = some.astype(np.float32)
with np.errstate(over="ignore"):
    halves = some.astype(np.float16).view(np.uint16)
golden = {"numpy": np.__version__, "values": values, "floats": some.view(np.uint32).tolist(), "halves": halves.tolist()}
(HERE / "golden.json").write_text(json.dumps(golden) + "\n")
