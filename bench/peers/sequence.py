"""One epoch of SASRec or GRU4Rec in PyTorch, for `npm run bench -- sasrec` and `gru4rec`.

python sequence.py FOLDER [WAY]: reads job.json {model, items, longest, width, blocks, heads, hidden, dropout, rate,
batches: [[{history, target}]]}; WAY is one of training.py, default best. Histories are padded on the right to the longest
of the batch; the loss is the cross-entropy over all items at the last item of each, whose vector is multiplied with the
item table; fused AdamW. SASRec is nn.TransformerEncoder (norm first, its fast kernels) behind item and position tables,
GRU4Rec nn.GRU over packed sequences and a dense layer. Prints {"precision" (the way), "rates", "seconds", "cpu" (seconds
of all threads), "loss" (mean of the last 50 steps)}.
"""
import json
import pathlib
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F
from training import choose_way, prepared, products_in

job = json.loads((pathlib.Path(sys.argv[1]) / "job.json").read_text())
WIDTH, LONGEST, DROPOUT = job["width"], job["longest"], job["dropout"]


class Sasrec(nn.Module):
    def __init__(self):
        super().__init__()
        self.items = nn.Embedding(job["items"], WIDTH)
        self.positions = nn.Embedding(LONGEST, WIDTH)
        layer = nn.TransformerEncoderLayer(
            WIDTH, job["heads"], WIDTH, DROPOUT, norm_first=True, batch_first=True, layer_norm_eps=1e-8
        )
        self.blocks = nn.TransformerEncoder(layer, job["blocks"], nn.LayerNorm(WIDTH, eps=1e-8), enable_nested_tensor=False)
        self.dropout = nn.Dropout(DROPOUT)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_normal_(parameter)

    def forward(self, ids, lengths):
        steps = ids.shape[1]
        x = self.dropout(self.items(ids) * WIDTH**0.5 + self.positions(torch.arange(steps)))
        mask = nn.Transformer.generate_square_subsequent_mask(steps)
        return self.blocks(x, mask=mask, is_causal=True)[torch.arange(len(ids)), lengths - 1]


class Gru4rec(nn.Module):
    def __init__(self):
        super().__init__()
        self.items = nn.Embedding(job["items"], WIDTH)
        nn.init.xavier_normal_(self.items.weight)
        self.dropout = nn.Dropout(DROPOUT)
        self.gru = nn.GRU(WIDTH, job["hidden"], batch_first=True)
        self.dense = nn.Linear(job["hidden"], WIDTH)

    def forward(self, ids, lengths):
        x = self.dropout(self.items(ids))
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return self.dense(self.gru(packed)[1][-1])


def collate(batch):
    lengths = torch.tensor([len(row["history"]) for row in batch])
    ids = torch.zeros(len(batch), int(lengths.max()), dtype=torch.long)
    for b, row in enumerate(batch):
        ids[b, : len(row["history"])] = torch.tensor(row["history"])
    return ids, lengths, torch.tensor([row["target"] for row in batch])


largest = max(map(len, job["batches"]))
way, measured = choose_way(
    sys.argv[2] if len(sys.argv) > 2 else "best", [(largest * LONGEST, WIDTH, WIDTH), (largest, WIDTH, job["items"])]
)
torch.manual_seed(42)
model = prepared({"sasrec": Sasrec, "gru4rec": Gru4rec}[job["model"]](), way)
optimizer = torch.optim.AdamW(model.parameters(), lr=job["rate"], weight_decay=0, fused=True)


def step(batch):
    ids, lengths, targets = collate(batch)
    with products_in(way):
        loss = F.cross_entropy(model(ids, lengths) @ model.items.weight.T, targets)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


step(job["batches"][0])
begin, before = time.perf_counter(), time.process_time()
losses = [step(batch) for batch in job["batches"]]
print(json.dumps({
    "precision": way,
    "rates": measured,
    "seconds": time.perf_counter() - begin,
    "cpu": time.process_time() - before,
    "loss": sum(losses[-50:]) / len(losses[-50:]),
}))
