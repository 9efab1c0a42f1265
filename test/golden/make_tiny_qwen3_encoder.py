"""A tiny Qwen3 with random weights as an ONNX folder in the manner of Qwen3-Embedding (causal attention, byte-level BPE
that ends every text with <|endoftext|>, the last token's vector, length 1), and sentence-transformers' vectors of it, for
test/embed.

Run: pip install torch==2.13.0 sentence-transformers onnx && python test/golden/make_tiny_qwen3_encoder.py
Writes tiny-qwen3-encoder/ beside itself: the layout of a model hub, and golden.json.
"""
import json
import pathlib

import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer, models
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors, trainers
from tokenizers.models import BPE
from transformers import AutoModel, PreTrainedTokenizerFast, Qwen3Config, Qwen3Model

HERE = pathlib.Path(__file__).with_name("tiny-qwen3-encoder")
END = "<|endoftext|>"
LONGEST = 24
TEXTS = [
    "Hex bolt, steel",
    "a",
    "wing nut of brass for a folding lamp, cordless and compact, with the lamp",
    "Hex bolt, steel",
    "Café drill №5 — 🙂 unseen",
    "steel " * 30,
    "brass nut",
]

torch.manual_seed(11)
raw = Tokenizer(BPE())
raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
raw.decoder = decoders.ByteLevel()
alphabet = pre_tokenizers.ByteLevel.alphabet()
raw.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, special_tokens=[END]))
raw.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, raw.token_to_id(END))])
HERE.mkdir(exist_ok=True)
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=raw, pad_token=END, eos_token=END, padding_side="left", model_max_length=64
)
config = Qwen3Config(
    **{"vocab_size": len(tokenizer), "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4},
    **{"num_key_value_heads": 2, "head_dim": 8, "intermediate_size": 32, "max_position_embeddings": 64},
)
config._attn_implementation = "eager"
qwen = Qwen3Model(config).eval()
for name, parameter in qwen.named_parameters():  # the usual start, 0.02, would leave all vectors nearly alike
    if "norm" not in name:
        torch.nn.init.normal_(parameter, std=0.4)
qwen.save_pretrained(HERE)
tokenizer.save_pretrained(HERE)


def vectors(pooling: str, normalize: bool) -> list[list[float]]:
    parts = [models.Transformer(str(HERE), max_seq_length=LONGEST), models.Pooling(16, pooling_mode=pooling)]
    model = SentenceTransformer(modules=parts + ([models.Normalize()] if normalize else []), device="cpu")
    return [[round(float(x), 6) for x in row] for row in model.encode(TEXTS)]


cases = [
    {"pooling": pooling, "normalize": normalize, "vectors": vectors(pooling, normalize)}
    for pooling, normalize in (("lasttoken", True), ("lasttoken", False), ("mean", True))
]

# and by transformers alone, a text at a time, without any padding
plain = []
with torch.no_grad():
    for text in TEXTS:
        one = tokenizer(text, return_tensors="pt")["input_ids"]
        one = torch.cat([one[:, : LONGEST - 1], one[:, -1:]], 1) if one.shape[1] > LONGEST else one
        plain.append(AutoModel.from_pretrained(HERE).eval()(one).last_hidden_state[0, -1].tolist())


class Hidden(torch.nn.Module):
    """The mask is made here: what transformers makes of it does not trace."""

    def __init__(self):
        super().__init__()
        self.qwen = qwen

    def forward(self, input_ids, attention_mask, position_ids):
        tokens = input_ids.shape[1]
        order = torch.arange(tokens)
        seen = (order[None, :] <= order[:, None])[None, None] & (attention_mask[:, None, None, :] > 0)
        bias = torch.zeros(seen.shape).masked_fill(~seen, -1e9)
        return self.qwen(input_ids=input_ids, attention_mask=bias, position_ids=position_ids).last_hidden_state


ids = torch.ones(2, 5, dtype=torch.long)
names = ["input_ids", "attention_mask", "position_ids"]
(HERE / "onnx").mkdir(exist_ok=True)
torch.onnx.export(
    Hidden(),
    (ids, ids, torch.arange(5).repeat(2, 1)),
    str(HERE / "onnx" / "model.onnx"),
    input_names=names,
    output_names=["last_hidden_state"],
    dynamic_axes={name: {0: "batch", 1: "tokens"} for name in [*names, "last_hidden_state"]},
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
modes = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
asked = {f"pooling_mode_{mode}": mode == "lasttoken" for mode in modes}
write("1_Pooling/config.json", {"word_embedding_dimension": 16, **asked, "include_prompt": True})
write("sentence_bert_config.json", {"max_seq_length": LONGEST, "do_lower_case": False})
token_ids = [tokenizer(text)["input_ids"] for text in TEXTS]
cut = [row if len(row) <= LONGEST else row[: LONGEST - 1] + row[-1:] for row in token_ids]
made = f"sentence-transformers {sentence_transformers.__version__}"
write("golden.json", {"made": made, "texts": TEXTS, "ids": cut, "cases": cases, "plain": plain})
