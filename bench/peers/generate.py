"""Greedy generation by transformers, for `npm run bench -- generate`.

python generate.py FOLDER [PRECISION]: reads job.json {prompts, newTokens, batch} and the model in FOLDER/model; batches of
like length, padded on the left, no end of text. PRECISION: float32, bfloat16 or (default) best, the one whose products
are faster. Prints {"precision", "rates", "seconds", "texts", "floor"}. The floor: the products of the linear layers and of
the output layer alone, over the prompts without padding and then a token a text and step, back to back, in the same
precision.
"""
import json
import pathlib
import sys
import time

import torch
from precision import DTYPES, choose, decoder_products
from transformers import AutoModelForCausalLM, GenerationConfig

folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
shape = json.loads((folder / "model" / "config.json").read_text())
# A text's prompt is run once, its new tokens one by one: most of the time goes into the latter.
asked = {"precision": sys.argv[2]} if len(sys.argv) > 2 else {}
precision, measured = choose(asked, decoder_products(shape, job["batch"], job["batch"]))
dtype = DTYPES[precision]
model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=dtype).eval()
config = GenerationConfig(do_sample=False, max_new_tokens=job["newTokens"], eos_token_id=None, pad_token_id=0)
order = sorted(range(len(job["prompts"])), key=lambda i: len(job["prompts"][i]))
batches = [order[at : at + job["batch"]] for at in range(0, len(order), job["batch"])]
texts = [None] * len(order)


def run(rows):
    prompts = [job["prompts"][i] for i in rows]
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    out = model.generate(ids, attention_mask=mask, generation_config=config)
    for i, text in zip(rows, out[:, longest:].tolist()):
        texts[i] = text


def floor():
    weights = [p.detach().T for n, p in model.named_parameters() if p.dim() == 2 and "embed" not in n]
    output = model.get_output_embeddings().weight.detach().T
    seconds = 0.0
    with torch.inference_mode():
        for rows in batches:
            tokens = sum(len(job["prompts"][i]) for i in rows)
            steps = [tokens] + [len(rows)] * (job["newTokens"] - 1)
            inputs = {n: {w.shape[0]: torch.randn(n, w.shape[0]).to(dtype) for w in [*weights, output]} for n in set(steps)}
            last = torch.randn(len(rows), output.shape[0]).to(dtype)
            begin = time.perf_counter()
            for n in steps:
                for w in weights:
                    inputs[n][w.shape[0]] @ w
                last @ output
            seconds += time.perf_counter() - begin
    return seconds


with torch.inference_mode():
    run(batches[0][:4])
    begin = time.perf_counter()
    for rows in batches:
        run(rows)
    seconds = time.perf_counter() - begin
print(json.dumps({"precision": precision, "rates": measured, "seconds": seconds, "texts": texts, "floor": min(floor(), floor())}))
