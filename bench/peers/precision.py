"""Which precision multiplies fastest on this machine: measured, at the shapes of the job's own products.

A product is (rows, width, out): [rows, width] times the transpose of [out, width], as a linear layer makes it.

Where a GPU is to be seen the peers of gpu.sh compute on it (CUDA_VISIBLE_DEVICES= hides it): tensors are made there, and
`clock` waits for it. Its float32 products are TF32's, as TensorFlow's are by default.
"""
import pathlib
import sys
import time

import torch

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
ON_GPU = {"beam.py", "grpo_step.py", "products.py", "sft_real.py", "sft_step.py"}
DEVICE = "cuda" if torch.cuda.is_available() and pathlib.Path(sys.argv[0]).name in ON_GPU else "cpu"
if DEVICE == "cuda":
    torch.set_default_device(DEVICE)
    torch.backends.cuda.matmul.allow_tf32 = True


def clock():
    """Seconds, once all that was asked for is computed."""
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def rates(products, seconds=0.2):
    """GFLOP/s of all distinct products together in each precision; `seconds` for each product, at least one."""
    return {name: rate(sorted(set(map(tuple, products))), dtype, seconds) for name, dtype in DTYPES.items()}


def rate(products, dtype, seconds):
    flops = spent = 0.0
    for rows, width, out in products:
        x, w = torch.randn(rows, width).to(dtype), torch.randn(out, width).to(dtype)
        x[:16] @ w.T  # kernels are made at the first call
        least, end = float("inf"), clock() + seconds
        while least == float("inf") or clock() < end:
            begin = clock()
            x @ w.T
            least = min(least, clock() - begin)
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
