"""Greedy continuations of texts by transformers, for `npm run bench -- pretrained-text`.

python pretrained/continue_texts.py FOLDER: reads job.json {model, prompts, newTokens}; `model` is a GGUF file (needs the package gguf).
Every prompt alone, in float32, as it is and in the model's chat template. Prints {"plain", "chat"}: of each prompt
{"prompt": ids, "tokens": ids without the end, "gap"}; gap is the least distance between the best and the second logit.
"""
import json
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
path = pathlib.Path(job["model"])
tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()
ends = [tokenizer.eos_token_id]


def go_on(prompt):
    ids, past, tokens, gaps = torch.tensor([prompt]), None, [], []
    while len(tokens) < job["newTokens"]:
        out = model(ids, past_key_values=past, use_cache=True)
        past = out.past_key_values
        best = torch.topk(out.logits[0, -1], 2)
        gaps.append(float(best.values[0] - best.values[1]))
        if int(best.indices[0]) in ends:
            break
        tokens.append(int(best.indices[0]))
        ids = torch.tensor([[tokens[-1]]])
    return {"prompt": prompt, "tokens": tokens, "gap": min(gaps)}


def chat(text):
    conversation = [{"role": "user", "content": text}]
    wrapped = tokenizer.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)
    return tokenizer.encode(wrapped, add_special_tokens=False)


with torch.inference_mode():
    plain = [go_on(tokenizer.encode(text, add_special_tokens=False)) for text in job["prompts"]]
    wrapped = [go_on(chat(text)) for text in job["prompts"]]
print(json.dumps({"plain": plain, "chat": wrapped}))
