"""What no implementation of a training step can do without, for the floor of `npm run bench -- sft-step` and `grpo-step`.

python products.py FOLDER: reads job.json {products: [[rows, width, out, times, passes]]}, linear layers of which each is
one product forward and, unless `passes` is "forward", two backward. Prints {"seconds": {"float32", "bfloat16"}, "rates", "bandwidth"}: all of them back to
back, bf16 only where it is the faster, and bytes a second of a triad (a = b + s c) by all threads, 12 bytes an element,
on arrays beyond any cache.
"""
import json
import pathlib
import sys

import torch
from precision import DTYPES, best, clock, rates


def replay(products, dtype):
    seconds = 0.0
    for rows, width, out, times, *passes in products:
        x, w, y = (torch.randn(size).to(dtype) for size in ((rows, width), (out, width), (rows, out)))
        for _ in range(times):
            begin = clock()
            x @ w.T
            if passes != ["forward"]:
                y @ w, y.T @ x
            seconds += clock() - begin
    return seconds


def bandwidth(elements, repetitions=5):
    b, c, a = torch.ones(elements), torch.ones(elements), torch.empty(elements)
    least = float("inf")
    for _ in range(repetitions + 1):
        begin = clock()
        torch.add(b, c, alpha=3.0, out=a)
        least = min(least, clock() - begin)
    return 12 * elements / least


if __name__ == "__main__":
    job = json.loads((pathlib.Path(sys.argv[1]) / "job.json").read_text())
    measured = rates([product[:3] for product in job["products"]])
    names = ["float32"] if best(measured) == "float32" else list(DTYPES)
    with torch.no_grad():
        seconds = {name: min(replay(job["products"], DTYPES[name]) for _ in range(2)) for name in names}
        speed = bandwidth(job.get("triad", 1 << 26))
    print(json.dumps({"seconds": seconds, "rates": measured, "bandwidth": speed}))
