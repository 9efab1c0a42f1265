"""One epoch of a small Qwen2 in PyTorch, padded batches, for `npm run bench -- sft-small`.

python sft_small.py FOLDER [WAY]: reads job.json {config, rate, weightDecay, clip, batches: [[{tokens, from}]]}: a text, and
the place of its first learnt token; WAY is one of training.py, default best. Hugging Face's Qwen2ForCausalLM from random
weights, fused AdamW. Prints {"precision" (the way), "rates", "seconds", "loss" (mean of the last 50 steps), "tokens",
"padded"}.
"""
import json
import pathlib
import sys
import time

import torch
from precision import decoder_products
from training import choose_way, prepared, products_in
from transformers import Qwen2Config, Qwen2ForCausalLM

job = json.loads((pathlib.Path(sys.argv[1]) / "job.json").read_text())
longest = [max(len(row["tokens"]) for row in batch) for batch in job["batches"]]
tokens = max(map(len, job["batches"])) * sorted(longest)[len(longest) // 2]  # transformers computes logits for every one
way, measured = choose_way(sys.argv[2] if len(sys.argv) > 2 else "best", decoder_products(job["config"], tokens, tokens))
torch.manual_seed(42)
model = prepared(Qwen2ForCausalLM(Qwen2Config(**job["config"], use_cache=False)), way)
decayed = [p for p in model.parameters() if p.dim() > 1]
others = [p for p in model.parameters() if p.dim() <= 1]
groups = [{"params": decayed, "weight_decay": job["weightDecay"]}, {"params": others, "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=job["rate"], fused=True)


def collate(batch):
    longest = max(len(row["tokens"]) for row in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    mask = torch.zeros(len(batch), longest, dtype=torch.long)
    labels = torch.full((len(batch), longest), -100)
    for i, row in enumerate(batch):
        n = len(row["tokens"])
        ids[i, :n] = torch.tensor(row["tokens"])
        mask[i, :n] = 1
        labels[i, row["from"]:n] = ids[i, row["from"]:n]
    return ids, mask, labels


def step(batch):
    ids, mask, labels = collate(batch)
    with products_in(way):
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), job["clip"])
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item(), int(mask.sum()), mask.numel()


step(job["batches"][0])
begin = time.perf_counter()
done = [step(batch) for batch in job["batches"]]
seconds = time.perf_counter() - begin
losses = [loss for loss, _, _ in done]
print(json.dumps({
    "precision": way,
    "rates": measured,
    "seconds": seconds,
    "loss": sum(losses[-50:]) / len(losses[-50:]),
    "tokens": sum(n for _, n, _ in done),
    "padded": sum(n for _, _, n in done),
}))
