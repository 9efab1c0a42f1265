"""Golden file of PyTorch for test/sid/rqvae.test.ts: losses, gradients and one AdamW step of a tiny RQ-VAE.

Run: pip install torch numpy && python test/golden/make_rqvae.py   (writes rqvae.json beside itself)
"""
import json
import pathlib
import sys

import torch
from torch import nn

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "bench" / "peers"))
from rqvae import RqVae  # noqa: E402

WIDTH, HIDDEN, SIZES, ROWS = 8, [6, 5], [5, 6, 4], 12
WEIGHT, COMMITMENT, CLIP, RATE, DECAY = 0.7, 0.25, 0.05, 1e-3, 0.02


def numbers(tensor):
    return [float(f"{x:.9g}") for x in tensor.detach().reshape(-1)]


def ours(name):
    """Ours (the reference's state_dict) from the twin's: its lists lack nothing but the attribute's name."""
    return (
        f"rq.vq_layers.{name.split('.')[1]}.embedding.weight"
        if name.startswith("books.")
        else name.replace("encoder.", "encoder.mlp_layers.").replace("decoder.", "decoder.mlp_layers.")
    )


cases = []
for kind, options in {
    "plain": {"latent": 3},
    "batch norm": {"latent": 3, "batch_norm": True},
    "residual": {"latent": WIDTH, "residual": True},
}.items():
    torch.manual_seed(7)
    model = RqVae(WIDTH, HIDDEN, sizes=SIZES, **options)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    x = torch.randn(ROWS, WIDTH)
    state = lambda: {ours(k): numbers(v) for k, v in model.state_dict().items() if "num_batches" not in k}
    before = state()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    total, reconstruction, quantizer, codes = model.loss(x, WEIGHT, COMMITMENT)
    total.backward()
    gradients = {ours(k): numbers(p.grad) for k, p in model.named_parameters()}
    nn.utils.clip_grad_norm_(model.parameters(), CLIP)
    optimizer.step()
    cases.append(
        {
            "kind": kind,
            "latent": options["latent"],
            "x": numbers(x),
            "before": before,
            "codes": codes.tolist(),
            "losses": numbers(torch.stack([total, reconstruction, quantizer])),
            "gradients": gradients,
            "after": state(),
        }
    )
    model.eval()
    with torch.no_grad():
        cases[-1]["reconstruction after"] = float(model.loss(x)[1])
out = {
    "torch": torch.__version__,
    **{"width": WIDTH, "hidden": HIDDEN, "sizes": SIZES, "rows": ROWS},
    **{"weight": WEIGHT, "commitment": COMMITMENT, "clip": CLIP, "rate": RATE, "decay": DECAY},
    "cases": cases,
}
(HERE / "rqvae.json").write_text(json.dumps(out) + "\n")
