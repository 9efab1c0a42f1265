"""Constrained beam search by transformers in MiniOneRec's manner, for `npm run bench -- beam-50` and `beam-20`.

python beam.py FOLDER: reads job.json {model, prompts, items, end, beams, wording}: a model folder, prompts of one
length whose first `wording` tokens are the same, token ids of every item, the last of them `end`. `generate` with num_beams
and a prefix_allowed_tokens_fn that looks the tokens after the prompt up in a table, so many sequences a prompt as beams;
scores are log-probabilities over the whole vocabulary. Three ways, fastest precision unless the job asks for another:

plain    as MiniOneRec calls it: every beam runs its prompt.
wording  the keys and values of the wording are computed once and repeated for the beams.
prompt   those of each prompt but its last token likewise; `generate` does not do so by itself.

Prints {"precision", "rates", "seconds": {way: s}, "items": [[...] a prompt, of the first way], "scores"}.
"""
import json
import pathlib
import sys

import torch
from precision import DEVICE, DTYPES, choose, clock, decoder_products
from transformers import AutoModelForCausalLM, DynamicCache, GenerationConfig

job = json.loads((pathlib.Path(sys.argv[1]) / "job.json").read_text())
shape = json.loads((pathlib.Path(job["model"]) / "config.json").read_text())
beams, items, wording = job["beams"], [tuple(item) for item in job["items"]], job["wording"]
prompts = torch.tensor(job["prompts"])
users, length = prompts.shape
precision, measured = choose(job, decoder_products(shape, users * beams, users * beams))
model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=DTYPES[precision]).to(DEVICE).eval()
allowed = {}
for item in items:
    for depth in range(len(item)):
        allowed.setdefault(item[:depth], set()).add(item[depth])
allowed = {prefix: sorted(tokens) for prefix, tokens in allowed.items()}
config = GenerationConfig(
    num_beams=beams, num_return_sequences=beams, max_new_tokens=len(items[0]), do_sample=False, length_penalty=0.0,
    eos_token_id=job["end"], pad_token_id=job["end"], return_dict_in_generate=True, output_scores=True,
)


def legal(_, ids):
    return allowed.get(tuple(ids[length:].tolist()), [job["end"]])


def past(known):
    """Keys and values of [prompts or 1, tokens], a copy for each beam of each user."""
    cache = DynamicCache(config=model.config)
    model(input_ids=known, past_key_values=cache, use_cache=True, logits_to_keep=1)
    cache.batch_repeat_interleave(users * beams // len(known))
    return cache


def search(way):
    begin = clock()
    known = {"plain": None, "wording": prompts[:1, :wording], "prompt": prompts[:, :-1]}[way]
    cached = {} if known is None else {"past_key_values": past(known)}
    mask = torch.ones_like(prompts)
    out = model.generate(
        prompts, attention_mask=mask, generation_config=config, prefix_allowed_tokens_fn=legal, **cached
    )
    return clock() - begin, out


with torch.inference_mode():
    model(input_ids=prompts[:, :8], logits_to_keep=1)  # kernels are made at the first call
    ids = {item: number for number, item in enumerate(items)}
    seconds, found = {}, None
    for way in ("plain", "wording", "prompt"):
        seconds[way], out = search(way)
        found = found or out
ranked = [ids.get(tuple(sequence)) for sequence in found.sequences[:, length:].tolist()]
rows = lambda flat: [flat[at : at + beams] for at in range(0, len(flat), beams)]
out = {"precision": precision, "rates": measured, "seconds": seconds}
print(json.dumps({**out, "items": rows(ranked), "scores": rows(found.sequences_scores.tolist())}))
