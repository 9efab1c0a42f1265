"""A PyTorch twin of lib/sid/rqvae/rqvae.ts: the peer of `npm run bench -- rqvae`, and what test/golden/make_rqvae.py calls.

Written from the papers' description (TIGER, LC-Rec, MiniOneRec's options). Reads a folder's `job.json` (options under
ours' names) and `vectors.npy`; prints {"mse", "codesUsed", "collision", "epoch"} of the epoch with the lowest error,
{"seconds"} (the median of an epoch but the first) and {"losses"} of all epochs, {"precision", "rates"}. `precision`:
float32, bfloat16 (autocast of encoder and decoder; weights, moments, distances to codes and losses stay float32, since
bf16 has too few digits to tell near codes apart) or, default, best: the one whose products are faster.
"""
import json
import pathlib
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

DEFAULT_HIDDEN, DEFAULT_LATENT = [2048, 1024, 512, 256, 128, 64], 32


def mlp(widths, batch_norm, dropout, residual):
    layers = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        last = i + 2 == len(widths)
        linear = nn.Linear(a, b)
        nn.init.xavier_normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        if residual and last:
            nn.init.zeros_(linear.weight)
        layers += [nn.Dropout(dropout), linear]
        if batch_norm and not last:
            layers.append(nn.BatchNorm1d(b))
        if not last:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


class RqVae(nn.Module):
    def __init__(self, width, hidden, latent, sizes, batch_norm=False, dropout=0.0, residual=False):
        super().__init__()
        widths = [width, *hidden, latent]
        self.encoder = mlp(widths, batch_norm, dropout, residual)
        self.decoder = mlp(widths[::-1], batch_norm, dropout, residual)
        self.residual = residual
        self.products = torch.float32
        self.books = nn.ParameterList([nn.Parameter(torch.zeros(size, latent)) for size in sizes])

    def encode(self, x):
        return self.through(self.encoder, x)

    def decode(self, q):
        return self.through(self.decoder, q)

    def through(self, network, x):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.products == torch.bfloat16):
            y = network(x)
        return y.to(x.dtype) + x if self.residual else y.to(x.dtype)

    def quantize(self, z, commitment=0.25):
        left, total, losses, codes = z, 0, [], []
        for book in self.books:
            distance = left.square().sum(1, keepdim=True) + book.square().sum(1) - 2 * left @ book.T
            code = distance.argmin(1)
            row = book[code]
            losses.append(F.mse_loss(row, left.detach()) + commitment * F.mse_loss(row.detach(), left))
            straight = left + (row - left).detach()
            left, total = left - straight, total + straight
            codes.append(code)
        return total, torch.stack(losses).mean(), torch.stack(codes, 1)

    def loss(self, x, weight=1.0, commitment=0.25):
        q, quantizer, codes = self.quantize(self.encode(x), commitment)
        reconstruction = F.mse_loss(self.decode(q), x)
        return reconstruction + weight * quantizer, reconstruction, quantizer, codes


def kmeans(x, k, rounds, generator):
    """k-means++ and Lloyd's rounds."""
    centres = x[torch.randint(len(x), (1,), generator=generator)]
    for _ in range(k - 1):
        nearest = torch.cdist(x, centres).min(1).values.square()
        pick = torch.multinomial(nearest / nearest.sum(), 1, generator=generator) if nearest.sum() > 0 else 0
        centres = torch.cat([centres, x[pick].reshape(1, -1)])
    old = None
    for _ in range(rounds):
        code = torch.cdist(x, centres).argmin(1)
        if old is not None and torch.equal(code, old):
            break
        old = code
        sums = torch.zeros_like(centres).index_add_(0, code, x)
        counts = torch.bincount(code, minlength=k).unsqueeze(1)
        centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
    return centres


def start(model, x, rounds, generator):
    with torch.no_grad():
        left = model.encode(x)
        for book in model.books:
            book.copy_(kmeans(left, len(book), rounds, generator))
            left = left - book[torch.cdist(left, book).argmin(1)]


def step(model, optimizer, batch, weight, commitment, clip, plain):
    total = F.mse_loss(model.decode(model.encode(batch)), batch) if plain else model.loss(batch, weight, commitment)[0]
    optimizer.zero_grad()
    total.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return total.detach()


def train(x, options, watch=lambda *_: None):
    get = options.get
    generator = torch.Generator().manual_seed(get("seed", 42))
    torch.manual_seed(get("seed", 42))
    model = RqVae(x.shape[1], get("hidden", DEFAULT_HIDDEN), get("latent", DEFAULT_LATENT), get("sizes", [256] * 3))
    model.products = get("products", torch.float32)
    peak = get("learningRate", 1e-3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak, weight_decay=get("weightDecay", 0))
    epochs, batch = get("epochs", 60), get("batchSize", 256)
    per_epoch = -(-len(x) // batch)
    warmup, total, n = get("warmupEpochs", 2) * per_epoch, epochs * per_epoch, 0
    for epoch in range(epochs):
        if epoch == get("autoencoderEpochs", 10):
            start(model, x, get("kmeansIterations", 100), generator)
        plain = epoch < get("autoencoderEpochs", 10)
        begun = time.perf_counter()
        losses = []
        for rows in torch.randperm(len(x), generator=generator).split(batch):
            n += 1
            done = 0 if get("schedule", "linear") == "constant" else min(1, (n - warmup) / max(1, total - warmup))
            optimizer.param_groups[0]["lr"] = peak * (n / warmup if n <= warmup else 1 - done)
            losses.append(step(model, optimizer, x[rows], get("quantLossWeight", 1), get("commitment", 0.25), get("clip", 1), plain))
        watch(model, epoch + 1, float(torch.stack(losses).mean()), time.perf_counter() - begun)
    return model


def figures(model, x):
    with torch.no_grad():
        _, reconstruction, _, codes = model.loss(x)
    used = [len(codes[:, level].unique()) for level in range(codes.shape[1])]
    return {"mse": float(reconstruction), "codesUsed": used, "collision": 1 - len(codes.unique(dim=0)) / len(codes)}


def main():
    import numpy
    from precision import DTYPES, choose

    folder = pathlib.Path(sys.argv[1])
    options = json.loads((folder / "job.json").read_text())
    torch.set_num_threads(options.get("threads", torch.get_num_threads()))
    x = torch.from_numpy(numpy.load(folder / "vectors.npy").astype("float32"))
    scale = float(x.square().mean().rsqrt())  # as `normalize`
    x = x * scale
    widths = [x.shape[1], *options.get("hidden", DEFAULT_HIDDEN), options.get("latent", DEFAULT_LATENT)]
    rows = min(len(x), options.get("batchSize", 256))
    precision, measured = choose(options, [(rows, a, b) for a, b in zip(widths, widths[1:])])
    seconds, losses, best = [], [], {}

    def watch(model, epoch, loss, took):
        seconds.append(took)
        losses.append(loss)
        if epoch % options.get("evalEpochs", 10) == 0 or epoch == options.get("epochs", 60):
            model.eval()
            now = {**figures(model, x), "epoch": epoch}
            now["mse"] /= scale**2
            model.train()
            if epoch > options.get("autoencoderEpochs", 10) and (not best or now["mse"] < best["mse"]):
                best.update(now)

    train(x, {**options, "products": DTYPES[precision]}, watch)
    print(json.dumps({**best, "precision": precision, "rates": measured, "seconds": statistics.median(seconds[1:] or seconds), "losses": losses}))


if __name__ == "__main__":
    main()
