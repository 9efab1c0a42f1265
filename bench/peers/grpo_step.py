"""A GRPO step in transformers' way, for `npm run bench -- grpo-step` and `grpo-memory`.

python grpo_step.py FOLDER [WAY]: reads job.json {model, prompts, items, end, beams, beta, rank, steps}: a model folder,
prompts of one length, token ids of every item, the last of them `end`; WAY is one of training.py, default best. A step
without the optimizer, as TRL and MiniOneRec make it: `generate` with num_beams and a prefix_allowed_tokens_fn finds so many
items a prompt as beams; each is rewarded beside its group, the one of place `rank` being the hit (ranking reward); log p of
every completion under the reference and under the policy, prompt and completion as a row of their own, logits on the
completions alone; the clipped loss with the k3 estimate of the KL, and its gradient.

Prints {"precision" (the way), "rates", "seconds" (median step), "each", "phases": {"rollout", "reference", "policy"} (of
the median step), "norm" (of the gradient), "above": bytes at the peak of a step above both models and the gradients, autocast's copies of weights
not counted}. What is there before is measured after a step on short prompts, its gradients kept.
"""
import json
import math
import pathlib
import re
import statistics
import sys

import torch
from precision import DEVICE, clock, decoder_products
from training import choose_way, prepared, products_in
from transformers import AutoModelForCausalLM, GenerationConfig

job = json.loads((pathlib.Path(sys.argv[1]) / "job.json").read_text())
config = json.loads((pathlib.Path(job["model"]) / "config.json").read_text())
beams, beta, items = job["beams"], job["beta"], [tuple(item) for item in job["items"]]
prompts, size = torch.tensor(job["prompts"]), len(items[0])
rows = len(prompts) * beams
products = decoder_products(config, rows * (prompts.shape[1] + size), rows * size)
way, measured = choose_way(sys.argv[2] if len(sys.argv) > 2 else "best", products)
policy, reference = (prepared(AutoModelForCausalLM.from_pretrained(job["model"]), way) for _ in range(2))
reference.eval().requires_grad_(False)
allowed = {}
for item in items:
    for depth in range(size):
        allowed.setdefault(item[:depth], set()).add(item[depth])
allowed = {prefix: sorted(tokens) for prefix, tokens in allowed.items()}


def rollout(prompts, beams):
    """[prompts * beams, tokens], best first."""
    length = prompts.shape[1]
    legal = lambda _, ids: allowed.get(tuple(ids[length:].tolist()), [job["end"]])
    search = GenerationConfig(
        num_beams=beams, num_return_sequences=beams, max_new_tokens=size, do_sample=False, length_penalty=0.0,
        eos_token_id=job["end"], pad_token_id=job["end"],
    )
    mask = torch.ones_like(prompts)
    return policy.generate(prompts, attention_mask=mask, generation_config=search, prefix_allowed_tokens_fn=legal)


def advantages(count, beams):
    """Of the ranking reward [count * beams]."""
    weights = torch.tensor([1 / math.log2(place + 2) for place in range(beams)])
    rewards = -weights / weights.sum()
    rewards[min(job["rank"], beams) - 1] = 1.0
    return ((rewards - rewards.mean()) / (rewards.std() + 1e-4)).repeat(count)


def log_probs(model, texts):
    """[texts, tokens of a completion]"""
    with products_in(way):
        logits = model(input_ids=texts, logits_to_keep=size + 1, use_cache=False).logits[:, :-1]
    return logits.float().log_softmax(-1).gather(-1, texts[:, -size:, None]).squeeze(-1)


def step(prompts, beams):
    """Seconds of the three phases; the gradient stays."""
    times = [clock()]
    policy.zero_grad(set_to_none=True)
    with torch.no_grad(), products_in(way):
        texts = rollout(prompts, beams)
    times.append(clock())
    with torch.no_grad():
        fixed = log_probs(reference, texts)
    times.append(clock())
    own = log_probs(policy, texts)
    ratio, advantage = (own - own.detach()).exp(), advantages(len(prompts), beams)[:, None]
    clipped = torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
    kl = (fixed - own).exp() - (fixed - own) - 1
    (beta * kl - clipped).mean().backward()
    times.append(clock())
    return [later - earlier for earlier, later in zip(times, times[1:])]


def resident(field):
    """Bytes in memory now (VmRSS), or the most (VmHWM) since `forget`."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(rf"^{field}:\s*(\d+) kB$", status, re.M)[1]) * 1024


step(prompts[:, :8], 2)
before = resident("VmRSS")
pathlib.Path("/proc/self/clear_refs").write_text("5")
step(prompts, beams)
linear = sum(module.weight.numel() for module in policy.modules() if isinstance(module, torch.nn.Linear))
above = resident("VmHWM") - before - (2 * linear if way == "autocast" else 0)
phases = sorted((step(prompts, beams) for _ in range(job["steps"])), key=sum)
each = [sum(one) for one in phases]
middle = phases[len(phases) // 2]
print(json.dumps({
    "precision": way, "rates": measured, "seconds": statistics.median_high(each), "each": each,
    "phases": dict(zip(("rollout", "reference", "policy"), middle)), "above": above,
    "norm": torch.nn.utils.get_total_norm([one.grad.float() for one in policy.parameters()]).item(),
}))
