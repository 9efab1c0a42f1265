"""Python's safetensors, for `npm run bench -- load` and `load-bf16`.

python load.py FILE; prints {"precision" (of the first tensor), "seconds", "peak", "sum"}.
"""
import json
import resource
import sys
import time

import torch
from safetensors.torch import load_file

torch.ones(8).sum().item()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begin = time.perf_counter()
tensors = load_file(sys.argv[1])
total = sum(tensor.sum(dtype=torch.float32).item() for tensor in tensors.values())
seconds = time.perf_counter() - begin
peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
precision = str(next(iter(tensors.values())).dtype).removeprefix("torch.")
print(json.dumps({"precision": precision, "seconds": seconds, "peak": peak, "sum": total}))
