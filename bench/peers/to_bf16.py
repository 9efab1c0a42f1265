"""A model folder in bf16, for `npm run bench -- load-bf16`. python to_bf16.py FOLDER OUT; prints {"bytes"}."""
import json
import pathlib
import shutil
import sys

import torch
from safetensors.torch import load_file, save_file

source, out = map(pathlib.Path, sys.argv[1:3])
out.mkdir(parents=True, exist_ok=True)
shutil.copy(source / "config.json", out)
tensors = {name: tensor.to(torch.bfloat16) for name, tensor in load_file(source / "model.safetensors").items()}
save_file(tensors, out / "part.safetensors", {"format": "pt"})
whole = (out / "part.safetensors").rename(out / "model.safetensors")
print(json.dumps({"bytes": whole.stat().st_size}))
