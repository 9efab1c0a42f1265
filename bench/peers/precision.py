"""Which precision multiplies fastest on this machine: measured, at the shapes of the job's own products.

A product is (rows, width, out): [rows, width] times the transpose of [out, width], as a linear layer makes it.
"""
import time

import torch

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def rates(products, seconds=0.2):
    """GFLOP/s of all distinct products together in each precision; `seconds` for each product, at least one."""
    return {name: rate(sorted(set(map(tuple, products))), dtype, seconds) for name, dtype in DTYPES.items()}


def rate(products, dtype, seconds):
    flops = spent = 0.0
    for rows, width, out in products:
        x, w = torch.randn(rows, width).to(dtype), torch.randn(out, width).to(dtype)
        x[:16] @ w.T  # kernels are made at the first call
        least, end = float("inf"), time.perf_counter() + seconds
        while least == float("inf") or time.perf_counter() < end:
            begin = time.perf_counter()
            x @ w.T
            least = min(least, time.perf_counter() - begin)
        flops += 2e-9 * rows * width * out
        spent += least
    return float(f"{flops / spent:.4g}")


def best(measured):
    """The faster of the precisions."""
    return max(measured, key=measured.get)


def choose(job, products):
    """(precision, rates): what the job asks for, by default the faster one. `precision` is a key of DTYPES."""
    measured = rates(products)
    asked = job.get("precision", "best")
    return best(measured) if asked == "best" else asked, measured


def decoder_products(config, rows, scored):
    """Of one decoder layer on `rows` tokens, and of the output layer on `scored` of them. `config` as in config.json."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    keys = config["num_key_value_heads"] * (width // config["num_attention_heads"])
    layer = [(width, width), (width, keys), (width, inner), (inner, width)]
    return [*((rows, a, b) for a, b in layer), (scored, width, config["vocab_size"])]
