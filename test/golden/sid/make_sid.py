"""Golden file for test/sid: optimizers, estimators, losses on codes, running means and Sinkhorn rounds, as PyTorch and
NumPy compute them.

Run: pip install torch numpy scipy && python test/golden/sid/make_sid.py   (writes sid.json beside itself)
"""
import json
import pathlib
import sys

import numpy as np
import scipy.linalg
import torch
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent.parent / "bench" / "peers"))
from rqvae import RqVae  # noqa: E402

torch.manual_seed(11)


def numbers(tensor):
    return [float(f"{x:.9g}") for x in torch.as_tensor(tensor).detach().reshape(-1)]


# The learners of MiniOneRec's and LC-Rec's `rq/trainer.py`, with PyTorch's defaults.
LEARNERS = {
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adamw": torch.optim.AdamW,
}
RATE, DECAY = 0.05, 0.1
gradients = [torch.randn(6) * scale for scale in (1, 0.01, 3, 1e-8)]
begin = torch.randn(6)
optimizers = {}
for name, learner in LEARNERS.items():
    weight = torch.nn.Parameter(begin.clone())
    optimizer = learner([weight], lr=RATE, weight_decay=DECAY)
    optimizers[name] = []
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
        optimizers[name].append(numbers(weight))

# A quantizer of three levels, the decoder's gradient given.
B, E, SIZES = 7, 3, [4, 5, 3]
COMMITMENT, WEIGHT = 0.25, 0.7
z = torch.randn(B, E)
books = [torch.randn(size, E) * 0.8**level for level, size in enumerate(SIZES)]
d_quantized = torch.randn(B, E)
noise = [-torch.log(-torch.log(torch.rand(B, size))) for size in SIZES]
collaborative = torch.randn(B, E)
positives = [torch.tensor([(code + 1) % size for code in range(size)]) for size in SIZES]
GUMBEL, BALANCE = 0.6, 1.7
WEIGHTS = {"balance": 0.3, "collaborative": 0.4, "diversity": 0.2}


def rotate(r, c):
    """Fifty et al., arXiv 2410.06424, with the whole rotation as a matrix: I - 2 w w^T + 2 v u^T, scaled."""
    u, v = F.normalize(r, dim=1).detach(), F.normalize(c, dim=1).detach()
    w = F.normalize(u + v, dim=1)
    eye = torch.eye(r.shape[1])
    turn = eye - 2 * w[:, :, None] * w[:, None, :] + 2 * v[:, :, None] * u[:, None, :]
    scale = (c.norm(dim=1) / r.norm(dim=1)).detach()
    return scale[:, None] * (turn.detach() @ r[:, :, None]).squeeze(2)


def quantizer(z, books, estimator, ema, asked):
    left, total, losses, terms, codes = z, 0, [], {name: [] for name in asked}, []
    for level, book in enumerate(books):
        distance = left.square().sum(1, keepdim=True) + book.square().sum(1) - 2 * left @ book.T
        code = distance.argmin(1)
        row = torch.softmax((-distance + noise[level]) / GUMBEL, 1) @ book if estimator == "gumbel" else book[code]
        commitment = COMMITMENT * F.mse_loss(row.detach(), left)
        losses.append(commitment if ema else F.mse_loss(row, left.detach()) + commitment)
        if "balance" in asked:
            share = torch.softmax(-distance / BALANCE, 1).mean(0)
            terms["balance"].append((share * torch.log(share * len(book))).sum())
        if "diversity" in asked:
            products = row @ book.T - 1e12 * F.one_hot(code, len(book))
            terms["diversity"].append(F.cross_entropy(products, positives[level][code]))
        given = {"straight-through": lambda: left + (row - left).detach(), "rotation": lambda: rotate(left, row), "gumbel": lambda: row}
        passed = given[estimator]()
        total, left = total + passed, left - passed
        codes.append(code)
    values = {name: torch.stack(of).mean() for name, of in terms.items() if of}
    if "collaborative" in asked:
        values["collaborative"] = F.cross_entropy(total @ collaborative.T, torch.arange(B))
    return total, torch.stack(losses).mean(), values, torch.stack(codes, 1)


cases = []
for estimator, ema, asked in [
    ("straight-through", False, []),
    ("rotation", False, []),
    ("rotation", True, []),
    ("gumbel", False, []),
    ("straight-through", False, ["balance"]),
    ("straight-through", False, ["collaborative", "diversity"]),
    ("rotation", False, ["balance", "collaborative", "diversity"]),
]:
    latent = z.clone().requires_grad_()
    own = [book.clone().requires_grad_() for book in books]
    total, loss, values, codes = quantizer(latent, own, estimator, ema, asked)
    objective = (total * d_quantized).sum() + WEIGHT * loss + sum(WEIGHTS[name] * value for name, value in values.items())
    objective.backward()
    cases.append(
        {
            **{"estimator": estimator, "ema": ema, "terms": asked},
            **{"quantized": numbers(total), "loss": loss.item(), "codes": codes.tolist()},
            "values": {name: value.item() for name, value in values.items()},
            "latent": numbers(latent.grad),
            "books": None if ema else [numbers(book.grad) for book in own],
        }
    )

# A mean absolute error in place of the mean square.
model = RqVae(8, [6, 5], latent=3, sizes=[5, 6])
with torch.no_grad():
    for parameter in model.parameters():
        parameter.add_(0.3 * torch.randn_like(parameter))
x = torch.randn(9, 8)
quantized, quantizer_loss, _ = model.quantize(model.encode(x))
reconstruction = F.l1_loss(model.decode(quantized), x)
total = reconstruction + WEIGHT * quantizer_loss
total.backward()


def ours(name):
    if name.startswith("books."):
        return f"rq.vq_layers.{name.split('.')[1]}.embedding.weight"
    return name.replace("encoder.", "encoder.mlp_layers.").replace("decoder.", "decoder.mlp_layers.")


l1 = {
    "x": numbers(x),
    "before": {ours(k): numbers(v) for k, v in model.state_dict().items()},
    "losses": [total.item(), reconstruction.item(), quantizer_loss.item()],
    "gradients": {ours(k): numbers(p.grad) for k, p in model.named_parameters()},
}

# Running means: three updates of one codebook, one code of which nothing chooses.
EMA_DECAY = 0.9
book = torch.randn(4, E)
counts, sums = torch.ones(4), book.clone()
ema = {"decay": EMA_DECAY, "book": numbers(book), "updates": []}
for codes in ([0, 0, 2, 1, 2], [1, 1, 1, 0, 2], [2, 2, 0, 0, 0]):
    rows = torch.randn(5, E)
    onehot = F.one_hot(torch.tensor(codes), 4).float()
    counts = EMA_DECAY * counts + (1 - EMA_DECAY) * onehot.sum(0)
    sums = EMA_DECAY * sums + (1 - EMA_DECAY) * onehot.T @ rows
    smooth = (counts + 1e-5) / (counts.sum() + 4 * 1e-5) * counts.sum()
    ema["updates"].append({"codes": codes, "rows": numbers(rows), "book": numbers(sums / smooth[:, None])})


# Rounds of Sinkhorn over groups that collide, as `generate_indices.py` of MiniOneRec and LC-Rec has them.
def sinkhorn_codes(distances, epsilon, iterations):
    middle = (distances.max() + distances.min()) / 2
    q = np.exp(-(distances - middle) / (distances.max() - middle + 1e-5) / epsilon)
    rows, columns = q.shape
    q /= q.sum()
    for _ in range(iterations):
        q /= q.sum(1, keepdims=True) * rows
        q /= q.sum(0, keepdims=True) * columns
    return q.argmax(1)


def groups_of(codes):
    groups = {}
    for item, path in enumerate(codes):
        groups.setdefault(tuple(path), []).append(item)
    return [items for items in groups.values() if len(items) > 1]


generator = np.random.default_rng(5)
items = (generator.normal(size=(14, 2))).round(3)
levels = [generator.normal(size=(5, 2)).round(3), (0.4 * generator.normal(size=(4, 2))).round(3)]
left, paths = items.copy(), []
for level in levels:
    code = ((left[:, None] - level[None]) ** 2).sum(2).argmin(1)
    left = left - level[code]
    paths.append(code)
raw = np.stack(paths, 1)
EPSILON, ITERATIONS = 0.003, 50
after = []
settled = raw.copy()
for _ in range(20):
    groups = groups_of(settled.tolist())
    if not groups:
        break
    for group in groups:
        residual = items[group] - levels[0][settled[group, 0]]
        distances = ((residual[:, None] - levels[1][None]) ** 2).sum(2)
        settled[group, 1] = sinkhorn_codes(distances, EPSILON, ITERATIONS)
    after.append(settled.tolist())
rounds = {
    **{"items": items.tolist(), "levels": [level.tolist() for level in levels], "raw": raw.tolist()},
    **{"epsilon": EPSILON, "iterations": ITERATIONS, "after one": after[0], "settled": settled.tolist()},
}

# The rotation nearest to a matrix: SciPy's orthogonal Procrustes.
left = generator.normal(size=(30, 6))
right = left @ scipy.linalg.qr(generator.normal(size=(6, 6)))[0] + 0.3 * generator.normal(size=(30, 6))
procrustes = {
    **{"left": left.reshape(-1).tolist(), "right": right.reshape(-1).tolist()},
    "rotation": scipy.linalg.orthogonal_procrustes(left, right)[0].reshape(-1).tolist(),
}

out = {
    "torch": torch.__version__,
    "optimizers": {
        **{"rate": RATE, "decay": DECAY, "begin": numbers(begin)},
        **{"gradients": [numbers(g) for g in gradients], "after": optimizers},
    },
    "quantizer": {
        **{"rows": B, "width": E, "sizes": SIZES, "commitment": COMMITMENT, "weight": WEIGHT},
        **{"z": numbers(z), "books": [numbers(b) for b in books], "dQuantized": numbers(d_quantized)},
        **{"noise": [numbers(n) for n in noise], "gumbelTemperature": GUMBEL, "balanceTemperature": BALANCE},
        **{"collaborative": numbers(collaborative), "positives": [p.tolist() for p in positives], "weights": WEIGHTS},
        "cases": cases,
    },
    "l1": l1,
    "ema": ema,
    "rounds": rounds,
    "procrustes": procrustes,
}
(HERE / "sid.json").write_text(json.dumps(out) + "\n")
