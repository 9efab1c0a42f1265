"""BERTScore of pairs of texts with the tiny encoder of ../tiny-encoder/, for test/evaluate/bert-score.test.ts.

Run: pip install torch transformers onnxruntime bert_score && python test/golden/text/make_bert_score.py
Writes bert-score.json beside itself. Written from equations 1 to 3 of Zhang et al. (arXiv 1904.09675), token by token,
and checked against the authors' package where it is installed; the package gets the same ONNX file as its model.
"""
import json
import math
import pathlib
import sys

import numpy
import onnxruntime
import torch
from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).parent
MODEL = HERE.parent / "tiny-encoder"
LONGEST = 24  # sentence_bert_config.json
PAIRS = [  # answer, text
    ("Hex bolt, steel", "Hex bolt, steel"),
    ("Hex bolt, steel", "steel bolt"),
    ("steel bolt", "Hex bolt, steel"),
    ("wing nut of brass", "a brass lamp with a wing nut"),
    ("cordless drill", "folding lamp, compact"),
    ("Café drill №5 — 🙂 unseen", "cafe drill no 5"),
    ("brass nut", ""),
    ("", "brass nut"),
    ("", ""),
    ("  brass nut ", "brass  nut"),
    ("steel " * 30, "steel nut"),
    ("a", "b"),
    ("Hex bolt, steel", "steel steel steel steel"),
    ("brass nut", "[SEP] brass [CLS] nut"),
]

tokenizer = AutoTokenizer.from_pretrained(MODEL, model_max_length=LONGEST)
session = onnxruntime.InferenceSession(str(MODEL / "onnx" / "model.onnx"))


def hidden(ids, mask):
    """[B, T] twice -> last hidden state [B, T, D]"""
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
    feed = {name: tensor.numpy().astype(numpy.int64) for name, tensor in feed.items()}
    return torch.from_numpy(session.run(None, feed)[0])


def ids_of(text):
    return tokenizer(text.strip(), truncation=True, max_length=LONGEST)["input_ids"]


def idf_of(answers):
    documents = [set(ids_of(text)) for text in answers]
    return lambda token: math.log((len(documents) + 1) / (sum(token in d for d in documents) + 1))


def bert_score(answer, text, weight):
    x_ids, y_ids = ids_of(answer), ids_of(text)
    special = {tokenizer.cls_token_id, tokenizer.sep_token_id}
    weights = [[0.0 if i in special else weight(i) for i in ids] for ids in (x_ids, y_ids)]
    if not all(sum(w) > 0 for w in weights):
        return [0.0, 0.0, 0.0]
    x, y = (hidden(torch.tensor([ids]), torch.ones(1, len(ids)))[0].double() for ids in (x_ids, y_ids))
    cosine = [[float(a @ b / (a.norm() * b.norm())) for b in y] for a in x]
    recall = sum(w * max(row) for w, row in zip(weights[0], cosine)) / sum(weights[0])
    precision = sum(w * max(row[j] for row in cosine) for j, w in enumerate(weights[1])) / sum(weights[1])
    return [precision, recall, 2 * precision * recall / (precision + recall)]


answers = [answer for answer, _ in PAIRS]
idf = idf_of(answers)
scores = {
    "plain": [bert_score(a, t, lambda _: 1.0) for a, t in PAIRS],
    "idf": [bert_score(a, t, idf) for a, t in PAIRS],
}


def with_special_tokens(ids):
    return [tokenizer.cls_token_id, *ids, tokenizer.sep_token_id]


def by_package():
    """The same by bert_score with the tiny encoder as its model."""
    import bert_score as package

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.place = torch.nn.Parameter(torch.zeros(1))  # the package asks for its device

        def forward(self, x, attention_mask, output_hidden_states=False):
            return (hidden(x, attention_mask.long()),)

    inside = sys.modules["bert_score.score"]
    inside.get_model = lambda *_, **__: Encoder()
    inside.get_tokenizer = lambda *_, **__: tokenizer
    if not hasattr(tokenizer, "build_inputs_with_special_tokens"):  # gone in transformers 5; called for ""
        tokenizer.build_inputs_with_special_tokens = with_special_tokens
    texts = [text for _, text in PAIRS]
    for kind in scores:
        found = package.score(texts, answers, model_type="tiny", num_layers=1, idf=kind == "idf", device="cpu")
        found = torch.stack(found, dim=1).double()
        worst = float((found - torch.tensor(scores[kind], dtype=torch.float64)).abs().max())
        print(f"{kind}: largest difference from bert_score {package.__version__} is {worst:.1e}")
        assert worst < 2e-6
    return f"bert_score {package.__version__}"


try:
    checked = by_package()
except ImportError:
    checked = "nothing: bert_score is not installed"
golden = {
    "made": f"onnxruntime {onnxruntime.__version__}, torch {torch.__version__}",
    "checked": checked,
    "pairs": PAIRS,
    **{kind: [[round(x, 7) for x in row] for row in rows] for kind, rows in scores.items()},
}
(HERE / "bert-score.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")
