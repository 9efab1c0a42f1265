"""Golden values of bfloat16 for test/ops/bfloat16.test.ts and test/lm/bfloat16.test.ts: PyTorch's rounding, a linear layer
under autocast (value and gradients), and how far autocast is from float32 on the models of make_decoders.py.

    pip install torch==2.13.0 transformers && python test/golden/make_bfloat16.py
"""
import json
import pathlib

import torch
import transformers
from transformers import AutoModelForCausalLM

folder = pathlib.Path(__file__).parent
torch.manual_seed(11)


def numbers(tensor):
    return [float(f"{x:.9g}") for x in tensor.flatten().tolist()]


def autocast():
    return torch.autocast("cpu", dtype=torch.bfloat16)


samples = torch.cat([torch.randn(40), torch.randn(20) * 1e-39, torch.randn(20) * 1e30,
                     torch.tensor([1 + 2**-8, 1 + 3 * 2**-8, -1 - 2**-8, 3.3895e38, -3.4e38, 0.0])])
rounding = dict(values=numbers(samples), rounded=[str(x) for x in samples.bfloat16().float().tolist()])

x, w, dy = torch.randn(24, 96, requires_grad=True), torch.randn(40, 96, requires_grad=True), torch.randn(24, 40)
with autocast():
    y = torch.nn.functional.linear(x, w)
y.float().backward(dy)
linear = dict(x=numbers(x), w=numbers(w), dy=numbers(dy), y=numbers(y.float()), dx=numbers(x.grad), dw=numbers(w.grad))


def log_prob_sum(model, texts):
    total = 0
    for text in texts:
        logits = model(torch.tensor([text])).logits[0, :-1].float()
        total = total + torch.log_softmax(logits, -1)[range(len(text) - 1), text[1:]].sum()
    return total


def apart(ours, theirs):
    ours, theirs = torch.cat([t.flatten().double() for t in ours]), torch.cat([t.flatten().double() for t in theirs])
    return ((ours - theirs).norm() / theirs.norm()).item()


models = {}
for name in ["qwen2-tied", "qwen2-untied", "qwen3", "llama"]:
    model = AutoModelForCausalLM.from_pretrained(folder / name, dtype=torch.float32).eval()
    texts = [t["tokens"] for t in json.loads((folder / name / "golden.json").read_text())["texts"]]
    found = {}
    for way in ["float32", "autocast"]:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=way == "autocast"):
            logits = [model(torch.tensor([t])).logits.detach().float() for t in texts]
            model.zero_grad()
            loss = -log_prob_sum(model, [t for t in texts if len(t) > 1])
        loss.backward()
        found[way] = logits, [p.grad.clone() for p in model.parameters()]
    models[name] = dict(logits=apart(found["autocast"][0], found["float32"][0]),
                        gradients=apart(found["autocast"][1], found["float32"][1]))

made_by = f"torch {torch.__version__}, transformers {transformers.__version__}"
(folder / "bfloat16.json").write_text(json.dumps(dict(madeBy=made_by, rounding=rounding, linear=linear, models=models)))
