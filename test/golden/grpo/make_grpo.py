"""Losses and advantages of GRPO and its kin, from PyTorch: value and gradient by every log-probability.

Written from the papers' equations (GRPO arXiv 2402.03300 eq. 3 and 4, DAPO 2503.14476 eq. 8, Dr. GRPO 2503.20783,
GSPO 2507.18071 eq. 5, MiniMax-M1 / CISPO 2506.13585 eq. 4, dual clip 1912.09729 eq. 5, KL estimators: Schulman 2020),
and checked here against TRL's own code wherever TRL has the option: `GRPOTrainer._compute_loss` is run on the same
numbers, and its advantages are recomputed by its lines. TRL writes CISPO's upper bound as such (`epsilon_high`), where
the paper has 1 + epsilon_high.

    pip install torch trl==1.16.0 && python test/golden/grpo/make_grpo.py
"""

import itertools
import json
import os
from collections import defaultdict
from types import SimpleNamespace

import torch

torch.set_default_dtype(torch.float64)
HERE = os.path.dirname(os.path.abspath(__file__))
GROUPS, SIZE, LENGTH, MAX_TOKENS = 2, 3, 4, 5
LENGTHS = [3, 4, 2, 4, 1, 3]
LOSSES = ["grpo", "bnpo", "dapo", "dr_grpo", "gspo", "cispo"]
CLIPS = {"plain": (0.2, 0.2, 0.0), "high": (0.1, 0.35, 0.0), "dual": (0.2, 0.3, 1.5)}
SCOPES = ["group", "batch", "none"]

generator = torch.Generator().manual_seed(7)


def normal(*shape):
    return torch.randn(*shape, generator=generator)


mask = torch.tensor([[1.0 if t < n else 0.0 for t in range(LENGTH)] for n in LENGTHS])
logps = -1.5 + 0.5 * normal(GROUPS * SIZE, LENGTH)
old = logps + 0.35 * normal(GROUPS * SIZE, LENGTH)
reference = logps + 0.6 * normal(GROUPS * SIZE, LENGTH)
rewards = torch.tensor([1.0, -0.4, -0.6, 0.5, 0.0, 0.2])


def std(values):
    return values.std(unbiased=True)


def advantages_of(baseline, scale):
    grouped = rewards.view(GROUPS, SIZE)
    of = {
        "group": (grouped.mean(1).repeat_interleave(SIZE), grouped.std(1).repeat_interleave(SIZE)),
        "batch": (rewards.mean().expand_as(rewards), std(rewards).expand_as(rewards)),
    }
    mean = torch.zeros_like(rewards) if baseline == "none" else of[baseline][0]
    centred = rewards - mean
    return centred if scale == "none" else centred / (of[scale][1] + 1e-4)


def kl_of(kind, x):
    d = reference - x
    return {"k1": -d, "k2": d**2 / 2, "k3": torch.exp(d) - d - 1}[kind]


def loss_of(kind, level, clip, kl, beta, advantages, x):
    low, high, delta = clip
    difference = x - old
    if level == "sequence":
        difference = ((difference * mask).sum(1) / mask.sum(1))[:, None].expand_as(x)
    ratio = difference.exp()
    a = advantages[:, None]
    if kind == "cispo":
        token = -torch.minimum(ratio, torch.tensor(1 + high)).detach() * a * x
    else:
        free, kept = ratio * a, ratio.clamp(1 - low, 1 + high) * a
        token = torch.minimum(free, kept)
        if delta > 0:  # dual clip: max(min(r A, clip(r) A), delta A) where A < 0
            token = torch.where(a < 0, torch.maximum(token, delta * a), token)
        token = -token
    if kl is not None:
        token = token + beta * kl_of(kl, x)
    if kind in ("grpo", "gspo"):
        return ((token * mask).sum(1) / mask.sum(1)).view(GROUPS, SIZE).mean(1).mean()
    if kind in ("bnpo", "dapo", "cispo"):
        return (token * mask).sum() / mask.sum()
    return (token * mask).sum() / (GROUPS * SIZE * MAX_TOKENS)


def gradient(loss, x):
    loss.backward()
    return x.grad


def trl_loss(kind, level, clip, beta, advantages, x):
    from trl.trainer.grpo_trainer import GRPOTrainer

    low, high, delta = clip
    name = "grpo" if kind == "gspo" else kind
    gather = SimpleNamespace(num_processes=1, gather=lambda v: v, reduce=lambda v, reduction=None: v)
    trainer = SimpleNamespace(
        _get_per_token_logps_and_entropies=lambda *a, **k: (x, torch.ones_like(x), None),
        args=SimpleNamespace(
            use_bias_correction_kl=False, delta=delta or None, steps_per_generation=1, entropy_coef=0.0
        ),
        **dict(top_entropy_quantile=1.0, off_policy_mask_threshold=None, importance_sampling_level=level, beta=beta),
        **dict(loss_type=name, epsilon_low=low, epsilon_high=1 + high if kind == "cispo" else high),
        **dict(use_vllm=False, vllm_importance_sampling_correction=False, max_completion_length=MAX_TOKENS),
        **dict(current_gradient_accumulation_steps=1, accelerator=gather, _entropy_bonus_enabled=False),
        **dict(aux_loss_enabled=False, model=SimpleNamespace(training=True), _metrics=defaultdict(lambda: defaultdict(list))),
    )
    ids = torch.zeros_like(mask, dtype=torch.long)
    inputs = {
        **dict(prompt_ids=ids[:, :1], prompt_mask=ids[:, :1], completion_ids=ids, completion_mask=mask),
        **dict(advantages=advantages, old_per_token_logps=old, ref_per_token_logps=reference),
        **dict(num_items_in_batch=mask.sum()),
    }
    return GRPOTrainer._compute_loss(trainer, None, inputs)


def flat(values):
    return [float(f"{v:.9g}") for row, n in zip(values.tolist(), LENGTHS) for v in row[:n]]


def case(kind, level, clip_name, kl, scope):
    clip = CLIPS[clip_name]
    beta = 0.0 if kl is None else 0.3
    baseline, scale = scope
    advantages = advantages_of(baseline, scale)
    x = logps.clone().requires_grad_(True)
    loss = loss_of(kind, level, clip, kl, beta, advantages, x)
    found = gradient(loss, x)
    if kl in (None, "k3") and not (kind == "cispo" and clip[2] > 0):
        y = logps.clone().requires_grad_(True)
        other = trl_loss(kind, level, clip, beta, advantages, y)
        assert torch.allclose(other, loss, atol=1e-12), (kind, level, clip_name, kl, scope)
        assert torch.allclose(gradient(other, y), found, atol=1e-12), (kind, level, clip_name, kl, scope)
        case.checked += 1
    return {
        **dict(lossType=kind, ratioLevel=level, clip=clip_name, kl=kl, baseline=baseline, scale=scale),
        **dict(loss=float(f"{loss.item():.12g}"), gradient=flat(found)),
    }


case.checked = 0
cases = []
for kind, kl, clip_name, scope in itertools.product(LOSSES, [None, "k1", "k2", "k3"], CLIPS, zip(SCOPES, SCOPES)):
    scope = tuple(scope)
    if kind == "cispo" and clip_name == "dual":
        continue  # it has one bound, the upper one
    cases.append(case(kind, "sequence" if kind == "gspo" else "token", clip_name, kl, scope))
for kind, clip_name in itertools.product(LOSSES, CLIPS):
    if kind == "gspo" or (kind == "cispo" and clip_name == "dual"):
        continue
    cases.append(case(kind, "sequence", clip_name, "k3", ("group", "group")))

grouped = rewards.view(GROUPS, SIZE)
golden = {
    "made": f"torch {torch.__version__}; {case.checked} of {len(cases)} losses also by TRL's GRPOTrainer._compute_loss",
    **dict(lengths=LENGTHS, groupSize=SIZE, maxTokens=MAX_TOKENS, beta=0.3),
    "clips": {name: dict(epsilon=low, epsilonHigh=high, delta=delta) for name, (low, high, delta) in CLIPS.items()},
    **dict(logProbs=flat(logps), old=flat(old), reference=flat(reference), rewards=grouped.tolist()),
    "advantages": [
        dict(baseline=b, scale=s, values=advantages_of(b, s).view(GROUPS, SIZE).tolist())
        for b, s in itertools.product(SCOPES, SCOPES)
    ],
    "cases": cases,
}
# the inputs are written with nine digits: what was computed must be of those
assert max(abs(a - b) for a, b in zip(flat(logps), [v for r, n in zip(logps.tolist(), LENGTHS) for v in r[:n]])) < 1e-8
with open(os.path.join(HERE, "grpo.json"), "w") as file:
    json.dump(golden, file)
    file.write("\n")
print(golden["made"])
