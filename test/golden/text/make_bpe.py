"""Golden file of Hugging Face's tokenizers for test/lm/bpe.test.ts: a byte-level vocabulary trained on texts made
here, and what hard texts are in it.

Run: pip install tokenizers && python test/golden/text/make_bpe.py   (writes bpe.json beside itself)
"""
import json
import pathlib

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

NOUNS = "kettle lamp drill router tripod blender tent speaker".split()
QUALITIES = "steel compact cordless folding travel".split()
texts = [
    f"{quality.title()} {noun.title()}, {i * 8 + j} in x {j}.5\" — the {noun} you'll use; it's {QUALITIES[(i + j) % 5]} é {noun}s"
    for i, quality in enumerate(QUALITIES)
    for j, noun in enumerate(NOUNS)
] + ["aaaa aaaaa aaaaaaa", "abcabc bcabc", "  two  spaces   three", "naïve naïve Ünïted"]
hard = [
    "",
    " ",
    "Steel Kettle",
    "steel kettles you'll use, it's 12.5\" x 3 in",
    "  leading and trailing   ",
    "tabs\tand\nlines\r\n\n end",
    "Größe ½″ ≥ 5 µm © ™",
    "日本語のタイトル と english",
    "emoji 👩‍🔬🔧 flags 🇩🇪",
    "e\u0301 against \u00e9, \ufb01 ligature, \u00a0 no-break",
    "<|endoftext|>",
    "a<|endoftext|>b <a_1><b_20> <a_2> <a_1",
    "< |endoftext|> < a_1>",
    "I'M don'T we've 'tis 's",
    "aaaaaaaaaaaaaaaaaaa",
    "numbers 1234567890 ٣٤ Ⅷ ²",
    "\u0000\u0001 control \u200b zero width",
    "___ --- *** $$ $& $1 {title}",
]
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=400,
    min_frequency=2,
    special_tokens=["<|endoftext|>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
tokenizer.train_from_iterator(texts, trainer)
tokenizer.add_tokens([AddedToken(sid, normalized=False) for sid in ["<a_1>", "<a_2>", "<b_20>"]])
raw = json.loads(tokenizer.to_str())
golden = {
    "made_by": f"tokenizers {tokenizers.__version__}: BpeTrainer, ByteLevel",
    "texts": texts,
    "vocab": raw["model"]["vocab"],
    "merges": raw["model"]["merges"],
    "hard": [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids} for text in hard],
}
pathlib.Path(__file__).with_name("bpe.json").write_text(json.dumps(golden, indent=1, ensure_ascii=True) + "\n")
