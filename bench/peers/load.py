"""Python's safetensors, for `npm run bench -- load`. python load.py FILE; prints {"seconds", "peak", "sum"}."""
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
total = sum(tensor.sum().item() for tensor in tensors.values())
seconds = time.perf_counter() - begin
peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
print(json.dumps({"seconds": seconds, "peak": peak, "sum": total}))
