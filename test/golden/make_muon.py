"""Golden file of PyTorch's Muon for test/ops/muon.test.ts.

    pip install torch==2.13.0 && python test/golden/make_muon.py   (writes muon.json beside itself)

torch.optim.Muon runs Newton-Schulz in bfloat16; ours in float32. So `.bfloat16()` is told to leave float32 as it is while
the golden values are made, and everything else is PyTorch's. `inBfloat16` is the largest difference that PyTorch's own
rounding makes to a parameter after the last step, for comparison.
"""
import json
import pathlib

import torch

HERE = pathlib.Path(__file__).parent
RATE, DECAY, STEPS = 0.02, 0.1, 4


def numbers(tensor):
    return [float(f"{x:.9g}") for x in tensor.detach().reshape(-1)]


def trajectory(shape, adjust, seed=3):
    torch.manual_seed(seed)
    p = torch.nn.Parameter(torch.randn(shape))
    start, gradients, after = numbers(p), [], []
    optimizer = torch.optim.Muon([p], lr=RATE, weight_decay=DECAY, momentum=0.95, nesterov=True, adjust_lr_fn=adjust)
    for _ in range(STEPS):
        p.grad = torch.randn(shape)
        gradients.append(numbers(p.grad))
        optimizer.step()
        after.append(numbers(p))
    return dict(shape=list(shape), start=start, gradients=gradients, after=after)


in_bfloat16 = torch.Tensor.bfloat16
cases = []
for shape in [(4, 6), (7, 3), (5, 5)]:
    for ours, theirs in {"rms": "match_rms_adamw", "spectral": "original"}.items():
        rounded = trajectory(shape, theirs)
        torch.Tensor.bfloat16 = lambda tensor: tensor
        exact = trajectory(shape, theirs)
        torch.Tensor.bfloat16 = in_bfloat16
        gap = max(abs(a - b) for a, b in zip(rounded["after"][-1], exact["after"][-1]))
        cases.append(dict(scale=ours, inBfloat16=gap, **exact))
out = dict(madeBy=f"torch {torch.__version__}", rate=RATE, decay=DECAY, cases=cases)
(HERE / "muon.json").write_text(json.dumps(out) + "\n")
