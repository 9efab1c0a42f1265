"""Ways to train, for the peers that do.

float32: everything in float32. autocast: products in bf16; weights, gradients, moments and the loss in float32, as ours
keeps them. bf16: weights, gradients and moments in bf16, which loses small updates but is what many do.
"""
import contextlib

import torch
from precision import DEVICE, best, rates

WAYS = ("float32", "autocast", "bf16")


def choose_way(asked, products):
    """(way, rates); `best` is autocast where bf16 multiplies faster than float32, else float32."""
    measured = rates(products)
    if asked == "best":
        asked = "autocast" if best(measured) == "bfloat16" else "float32"
    assert asked in WAYS, f"expected best or one of {WAYS}, got {asked}"
    return asked, measured


def prepared(model, way):
    """The model for training, its weights in the precision that the way keeps them in."""
    return model.to(DEVICE, torch.bfloat16 if way == "bf16" else torch.float32).train()


def products_in(way):
    """Context of a forward pass."""
    return torch.autocast(DEVICE, dtype=torch.bfloat16) if way == "autocast" else contextlib.nullcontext()
