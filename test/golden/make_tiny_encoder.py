"""A tiny BERT with random weights as an ONNX folder, and sentence-transformers' vectors of it, for test/embed.

Run: pip install torch==2.13.0 sentence-transformers onnx && python test/golden/make_tiny_encoder.py
Writes tiny-encoder/ beside itself: the layout of a model hub, and golden.json.
"""
import json
import pathlib

import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer, models
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from transformers import BertConfig, BertModel, BertTokenizerFast

HERE = pathlib.Path(__file__).with_name("tiny-encoder")
NAMES = ["input_ids", "attention_mask", "token_type_ids"]
TEXTS = [
    "Hex bolt, steel",
    "a",
    "wing nut of brass for a folding lamp, cordless and compact, with the lamp",
    "Hex bolt, steel",
    "Café drill №5 — 🙂 unseen",
    "steel " * 30,
    "",
    "brass nut",
]

torch.manual_seed(7)
letters = "abcdefghijklmnopqrstuvwxyz0123456789,.-"
words = ["hex", "bolt", "steel", "nut", "brass", "lamp", "wing", "drill"]
pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{x}" for x in letters), *words]
vocabulary = {piece: i for i, piece in enumerate(pieces)}
raw = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
raw.normalizer = normalizers.BertNormalizer(lowercase=True)
raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
raw.post_processor = processors.TemplateProcessing(
    single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
)
HERE.mkdir(exist_ok=True)
raw.save(str(HERE / "raw.json"))
tokenizer = BertTokenizerFast(tokenizer_file=str(HERE / "raw.json"), model_max_length=64)
(HERE / "raw.json").unlink()
config = BertConfig(
    **{"vocab_size": len(pieces), "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2},
    **{"intermediate_size": 32, "max_position_embeddings": 64, "hidden_dropout_prob": 0.0},
)
config._attn_implementation = "eager"
bert = BertModel(config, add_pooling_layer=False).eval()
for parameter in bert.parameters():  # the usual start, 0.02, would leave all vectors nearly alike
    torch.nn.init.normal_(parameter, std=0.4)
bert.save_pretrained(HERE)
tokenizer.save_pretrained(HERE)


def vectors(pooling: str, normalize: bool, longest: int) -> list[list[float]]:
    parts = [models.Transformer(str(HERE), max_seq_length=longest), models.Pooling(16, pooling_mode=pooling)]
    model = SentenceTransformer(modules=parts + ([models.Normalize()] if normalize else []), device="cpu")
    return [[round(float(x), 6) for x in row] for row in model.encode(TEXTS)]


cases = [
    {"pooling": pooling, "normalize": normalize, "longest": 24, "vectors": vectors(pooling, normalize, 24)}
    for pooling, normalize in (("mean", True), ("mean", False), ("cls", False), ("lasttoken", True))
]


class Hidden(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.bert(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state


example = torch.ones(2, 5, dtype=torch.long)
(HERE / "onnx").mkdir(exist_ok=True)
torch.onnx.export(
    Hidden(),
    (example, example, torch.zeros_like(example)),
    str(HERE / "onnx" / "model.onnx"),
    input_names=NAMES,
    output_names=["last_hidden_state"],
    dynamic_axes={name: {0: "batch", 1: "tokens"} for name in [*NAMES, "last_hidden_state"]},
    opset_version=17,
    dynamo=False,
)
(HERE / "model.safetensors").unlink()
(HERE / "1_Pooling").mkdir(exist_ok=True)


def write(name: str, value) -> None:
    (HERE / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


kinds = ["Transformer", "Pooling", "Normalize"]
write(
    "modules.json",
    [
        {"idx": i, "name": str(i), "path": f"{i}_{kind}" if i else "", "type": f"sentence_transformers.models.{kind}"}
        for i, kind in enumerate(kinds)
    ],
)
write("1_Pooling/config.json", {"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True})
write("sentence_bert_config.json", {"max_seq_length": 24, "do_lower_case": False})
ids = [tokenizer(text, truncation=True, max_length=24)["input_ids"] for text in TEXTS]
write("golden.json", {"made": f"sentence-transformers {sentence_transformers.__version__}", "texts": TEXTS, "ids": ids, "cases": cases})
