"""A fine-tuning step in Hugging Face's way, for `npm run bench -- sft-step`, `sft-step-answers` and `sft-memory`.

python sft_step.py FOLDER [WAY]: reads job.json {config, texts, length, learnt, steps}: `texts` texts of `length` random
tokens, loss on the last `learnt` of each; WAY is one of training.py, default best. transformers' model from random
weights, fused AdamW (the Trainer's default), clipping at 1. Prints {"precision", "rates", "answers", "whole"}, of the two
each {"seconds" (median step), "each", "peak" (bytes, of the process so far; on a GPU of its memory)}: `whole` is transformers' own loss, which
computes logits for every token, `answers` the output layer on the labelled tokens alone.
"""
import json
import pathlib
import resource
import statistics
import sys

import torch
from precision import DEVICE, clock, decoder_products
from torch.nn import functional as F
from training import choose_way, prepared, products_in
from transformers import Qwen2Config, Qwen2ForCausalLM

job = json.loads((pathlib.Path(sys.argv[1]) / "job.json").read_text())
texts, length, learnt = job["texts"], job["length"], job["learnt"]
products = decoder_products(job["config"], texts * length, texts * learnt)
way, measured = choose_way(sys.argv[2] if len(sys.argv) > 2 else "best", products)
torch.manual_seed(42)
config = Qwen2Config(**job["config"], use_cache=False)
model = prepared(Qwen2ForCausalLM(config), way)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
ids = torch.randint(0, config.vocab_size, (texts, length))
labels = torch.full_like(ids, -100)
labels[:, -learnt:] = ids[:, -learnt:]


def whole_loss():
    return model(input_ids=ids, labels=labels).loss


def answers_loss():
    hidden = model.model(input_ids=ids).last_hidden_state
    logits = model.lm_head(hidden[:, -learnt - 1 : -1])
    return F.cross_entropy(logits.float().flatten(0, 1), ids[:, -learnt:].flatten())


def step(loss):
    begin = clock()
    with products_in(way):
        value = loss()
    value.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return clock() - begin


def steps(loss):
    step(loss)
    each = [step(loss) for _ in range(job["steps"])]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    peak = torch.cuda.max_memory_allocated() if DEVICE == "cuda" else peak
    return {"seconds": statistics.median(each), "each": each, "peak": peak}


# Whole logits take more memory: in this order each peak is its own.
print(json.dumps({"precision": way, "rates": measured, "answers": steps(answers_loss), "whole": steps(whole_loss)}))
