"""Scores, losses and gradients of tiny sequence recommenders in PyTorch, for test/baselines/golden.test.ts.

python make_sequence.py [NAME ...]   (torch 2.13): writes NAME.json beside this file for each of sasrec, gru4rec, caser, hstu:
{size, settings, weights, histories, targets, negatives, scores, losses: {crossEntropy, binary, robust, robustBinary},
gradients}. Histories are padded on the right to the longest possible. Gradients are those of the cross-entropy. Padded
positions are item 0 and hidden by masks or by packing: no value depends on them. No dropout.
"""
import json
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

LONGEST, ITEMS, WIDTH = 5, 7, 8
HISTORIES = [[3, 1, 4, 1, 5], [2], [6, 5, 3], [0, 0]]
TARGETS = [2, 6, 0, 3]
NEGATIVES = [[1, 5], [0, 3], [6, 2], [4, 4]]
ALPHA, BETA = 0.3, 0.7


def padded(histories):
    ids = torch.zeros(len(histories), LONGEST, dtype=torch.long)
    real = torch.zeros(len(histories), LONGEST, dtype=torch.bool)
    for b, history in enumerate(histories):
        ids[b, : len(history)] = torch.tensor(history)
        real[b, : len(history)] = True
    return ids, real, real.sum(1)


class Sasrec(nn.Module):
    """Pre-norm blocks of nn.MultiheadAttention and two 1x1 convolutions."""

    settings = {"width": WIDTH, "blocks": 2, "heads": 2}

    def __init__(self):
        super().__init__()
        self.item_emb = nn.Embedding(ITEMS, WIDTH)
        self.pos_emb = nn.Embedding(LONGEST, WIDTH)
        norm = lambda: nn.LayerNorm(WIDTH, eps=1e-8)
        self.attention_layernorms = nn.ModuleList([norm(), norm()])
        self.attention_layers = nn.ModuleList([nn.MultiheadAttention(WIDTH, 2, batch_first=True) for _ in range(2)])
        self.forward_layernorms = nn.ModuleList([norm(), norm()])
        layer = lambda: nn.ModuleDict({"conv1": nn.Conv1d(WIDTH, WIDTH, 1), "conv2": nn.Conv1d(WIDTH, WIDTH, 1)})
        self.forward_layers = nn.ModuleList([layer(), layer()])
        self.last_layernorm = norm()

    def forward(self, histories):
        ids, _, lengths = padded(histories)
        places = (torch.arange(LONGEST) + LONGEST - lengths[:, None]).clamp(max=LONGEST - 1)  # the last item's is the last
        x = self.item_emb(ids) * WIDTH**0.5 + self.pos_emb(places)
        future = torch.triu(torch.ones(LONGEST, LONGEST, dtype=torch.bool), 1)
        for i in range(2):
            y = self.attention_layernorms[i](x)
            x = x + self.attention_layers[i](y, y, y, attn_mask=future, need_weights=False)[0]
            y = self.forward_layernorms[i](x).transpose(1, 2)
            y = self.forward_layers[i]["conv2"](F.relu(self.forward_layers[i]["conv1"](y)))
            x = x + y.transpose(1, 2)
        return self.last_layernorm(x)[torch.arange(len(ids)), lengths - 1]

    def arrays(self, of):
        """By the kit's names: query, key and value apart, convolutions as matrices."""
        named = {}
        for name, parameter in self.named_parameters():
            value = of(parameter)
            if "in_proj" in name:
                for part, rows in zip("qkv", value.chunk(3)):
                    named[name.replace("in_proj_", f"{part}_proj.")] = rows
            else:
                named[name] = value.squeeze(-1) if "conv" in name and name.endswith("weight") else value
        return named


class Plain(nn.Module):
    """Parameters by their own names."""

    def arrays(self, of):
        return {name: of(parameter) for name, parameter in self.named_parameters()}


class Gru4rec(Plain):
    """nn.GRU over packed sequences."""

    settings = {"width": WIDTH, "hidden": 6, "layers": 2}

    def __init__(self):
        super().__init__()
        self.item_emb = nn.Embedding(ITEMS, WIDTH)
        self.gru = nn.GRU(WIDTH, 6, num_layers=2, batch_first=True)
        self.dense = nn.Linear(6, WIDTH)

    def forward(self, histories):
        ids, _, lengths = padded(histories)
        packed = nn.utils.rnn.pack_padded_sequence(self.item_emb(ids), lengths, batch_first=True, enforce_sorted=False)
        return self.dense(self.gru(packed)[1][-1])


class Caser(Plain):
    """Conv2d over histories that are padded with zeros on the left."""

    settings = {"width": WIDTH, "heights": [2, 3, 9], "filters": 3, "vertical": 2}

    def __init__(self):
        super().__init__()
        self.input_emb = nn.Embedding(ITEMS, WIDTH)
        self.horizontal = nn.ModuleDict({str(h): nn.Conv2d(1, 3, (h, WIDTH)) for h in (2, 3)})
        self.vertical = nn.Conv2d(1, 2, (LONGEST, 1))
        self.dense = nn.Linear(2 * WIDTH + 2 * 3, WIDTH)
        self.item_emb = nn.Embedding(ITEMS, WIDTH)

    def forward(self, histories):
        image = torch.stack([
            torch.cat([torch.zeros(LONGEST - len(h), WIDTH), self.input_emb(torch.tensor(h))]) for h in histories
        ]).unsqueeze(1)
        across = [F.relu(conv(image).squeeze(3)) for conv in self.horizontal.values()]
        across = [F.max_pool1d(x, x.size(2)).squeeze(2) for x in across]
        down = self.vertical(image).view(len(histories), -1)
        return F.relu(self.dense(torch.cat([down, *across], 1)))

    def arrays(self, of):
        """Filters as matrices."""
        def matrix(name, value):
            if name.startswith("horizontal") and name.endswith("weight"):
                return value.flatten(1)
            return value.flatten(1) if name == "vertical.weight" else value
        return {name: matrix(name, of(parameter)) for name, parameter in self.named_parameters()}


class Hstu(Plain):
    """Padded einsums, as in the authors' research code, with no bias of time."""

    settings = {"width": WIDTH, "blocks": 2, "heads": 2}

    def __init__(self):
        super().__init__()
        self.item_emb = nn.Embedding(ITEMS, WIDTH)
        self.pos_emb = nn.Embedding(LONGEST, WIDTH)
        layer = lambda: nn.ParameterDict({
            "uvqk": nn.Parameter(torch.randn(WIDTH, 4 * WIDTH) * 0.3),
            "relative": nn.Parameter(torch.randn(2 * LONGEST - 1) * 0.3),
        })
        self.layers = nn.ModuleList([layer(), layer()])
        self.outs = nn.ModuleList([nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)])

    def forward(self, histories):
        ids, _, lengths = padded(histories)
        norm = lambda y: F.layer_norm(y, [WIDTH], eps=1e-6)
        heads = lambda y: y.view(len(histories), LONGEST, 2, WIDTH // 2)
        x = self.item_emb(ids) * WIDTH**0.5 + self.pos_emb(torch.arange(LONGEST))
        past = torch.tril(torch.ones(LONGEST, LONGEST))
        place = torch.arange(LONGEST)
        distance = place[None, :] - place[:, None] + LONGEST - 1
        for layer, out in zip(self.layers, self.outs):
            u, v, q, k = F.silu(norm(x) @ layer["uvqk"]).split(WIDTH, dim=-1)
            scores = torch.einsum("bnhd,bmhd->bhnm", heads(q), heads(k)) + layer["relative"][distance]
            weights = F.silu(scores) / LONGEST * past
            attended = torch.einsum("bhnm,bmhd->bnhd", weights, heads(v)).reshape(x.shape)
            x = x + out(norm(attended) * u)
        return norm(x)[torch.arange(len(ids)), lengths - 1]

    def arrays(self, of):
        """Matrices as of a linear layer, [out, in]."""
        named = {}
        for name, parameter in self.named_parameters():
            value = of(parameter)
            name = name.replace("outs.0", "layers.0.o").replace("outs.1", "layers.1.o")
            named[name] = value.T if name.endswith("uvqk") else value[:, None] if name.endswith("relative") else value
        return named


MODELS = {"sasrec": Sasrec, "gru4rec": Gru4rec, "caser": Caser, "hstu": Hstu}


def losses_of(scores):
    targets = torch.tensor(TARGETS)
    drawn = torch.cat([targets[:, None], torch.tensor(NEGATIVES)], 1)
    labels = torch.zeros(drawn.shape)
    labels[:, 0] = 1
    counts = torch.ones(ITEMS) + torch.bincount(targets, minlength=ITEMS)
    weights = (counts / counts.sum()) ** 0.05
    cross_entropy = F.cross_entropy(scores, targets)
    binary = F.binary_cross_entropy_with_logits(scores.gather(1, drawn), labels)
    at = targets[:, None]
    inner = (weights * scores**2 / BETA).exp().sum(1, keepdim=True)
    inner = inner - (weights * scores**2 / BETA).exp().gather(1, at) + (weights * (scores - 1) ** 2 / BETA).exp().gather(1, at)
    robust = ALPHA * inner.log().mean()
    return {"crossEntropy": cross_entropy, "binary": binary, "robust": cross_entropy + robust, "robustBinary": binary + robust}


def rounded(tensor):
    return {"shape": list(tensor.shape), "data": [float(f"{x:.8g}") for x in tensor.detach().flatten().tolist()]}


def make(name):
    torch.manual_seed(7)
    model = MODELS[name]()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
        model.item_emb.weight.mul_(0.3)  # MiniOneRec's term overflows for large scores
    scores = model(HISTORIES) @ model.item_emb.weight.T
    losses = losses_of(scores)
    losses["crossEntropy"].backward()
    result = {
        "size": {"items": ITEMS, "longest": LONGEST},
        "settings": model.settings,
        "weights": {key: rounded(value) for key, value in model.arrays(lambda p: p).items()},
        "histories": HISTORIES, "targets": TARGETS, "negatives": NEGATIVES,
        "robust": {"alpha": ALPHA, "beta": BETA},
        "scores": rounded(scores),
        "losses": {key: float(f"{value.item():.8g}") for key, value in losses.items()},
        "gradients": {key: rounded(value) for key, value in model.arrays(lambda p: p.grad).items()},
    }
    path = pathlib.Path(__file__).with_name(f"{name}.json")
    path.write_text(json.dumps(result, separators=(",", ":")) + "\n")


for asked in sys.argv[1:] or MODELS:
    make(asked)
