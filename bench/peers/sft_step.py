"""A fine-tuning step in Hugging Face's way, for `npm run bench -- sft-step` and `sft-memory`.

python sft_step.py FOLDER: reads job.json {config, texts, length, learnt, steps}: `texts` texts of `length` random tokens,
loss on the last `learnt` of each. transformers' model from random weights in float32, its own loss, AdamW, clipping at
1. Prints {"seconds" (median step), "each", "peak" (bytes, of the process), "floor": the matrix products of a step that
no implementation can do without (layers on every token, output layer where a label is), replayed back to back}.
"""
import json
import pathlib
import resource
import statistics
import sys
import time

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

job = json.loads((pathlib.Path(sys.argv[1]) / "job.json").read_text())
torch.manual_seed(42)
config = Qwen2Config(**job["config"])
model = Qwen2ForCausalLM(config).float().train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
ids = torch.randint(0, config.vocab_size, (job["texts"], job["length"]))
labels = torch.full_like(ids, -100)
labels[:, -job["learnt"]:] = ids[:, -job["learnt"]:]


def step():
    begin = time.perf_counter()
    model(input_ids=ids, labels=labels).loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return time.perf_counter() - begin


step()
each = [step() for _ in range(job["steps"])]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def product_seconds(rows, width, out):
    x, w, y = torch.randn(rows, width), torch.randn(out, width), torch.randn(rows, out)
    begin = time.perf_counter()
    x @ w.T, y @ w, y.T @ x
    return time.perf_counter() - begin


del optimizer, model
tokens, rows = ids.numel(), job["texts"] * job["learnt"]
d, f = config.hidden_size, config.intermediate_size
k = config.num_key_value_heads * (d // config.num_attention_heads)
shapes = [(d, d), (d, k), (d, k), (d, d), (d, f), (d, f), (f, d)]
with torch.no_grad():
    for _ in range(2):
        floor = sum(product_seconds(tokens, a, b) for _ in range(config.num_hidden_layers) for a, b in shapes)
        floor += product_seconds(rows, d, config.vocab_size)
print(json.dumps({"seconds": statistics.median(each), "each": each, "peak": peak, "floor": floor}))
