"""Makes the golden GGUF files with the packages gguf, tokenizers, safetensors and torch.

types.gguf    a tensor of each number format, of random blocks; types.json has what `gguf.dequantize` makes of them
llama.gguf    the weights of ../llama in float32, q and k in llama.cpp's order, and a tokenizer; tokens.json has what the
              package tokenizers makes of some texts
qwen2.gguf    the weights of ../qwen2-tied in float16
"""

import base64
import json
from pathlib import Path

import gguf
import numpy as np
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers

HERE = Path(__file__).parent
RNG = np.random.default_rng(7)


def half(count: int) -> np.ndarray:
    """Scales as bytes [count, 2]: of either sign, some of them subnormal."""
    values = RNG.normal(size=count) * 10.0 ** RNG.integers(-7, 1, size=count)
    return values.astype(np.float16).view(np.uint8).reshape(count, 2)


def blocks(kind: gguf.GGMLQuantizationType, rows: int, count: int) -> np.ndarray:
    """Random blocks [rows, count * bytes of a block]."""
    _, size = gguf.GGML_QUANT_SIZES[kind]
    raw = RNG.integers(0, 256, size=(rows * count, size), dtype=np.uint8)
    places = {"Q4_0": [0], "Q4_1": [0, 2], "Q8_0": [0], "Q6_K": [208]}[kind.name]
    for place in places:
        raw[:, place : place + 2] = half(rows * count)
    return raw.reshape(rows, count * size)


def types() -> None:
    writer = gguf.GGUFWriter(str(HERE / "types.gguf"), "llama")
    expected = {}
    for name in ["Q4_0", "Q4_1", "Q8_0", "Q6_K"]:
        kind = gguf.GGMLQuantizationType[name]
        raw = blocks(kind, 3, 2)
        writer.add_tensor(name, raw, raw_dtype=kind)
        expected[name] = gguf.dequantize(raw, kind)
    plain = RNG.normal(size=(5, 7)).astype(np.float32)
    for name, stored in {"F32": plain, "F16": plain.astype(np.float16)}.items():
        writer.add_tensor(name, stored)
        expected[name] = stored.astype(np.float32)
    bits = (plain.view(np.uint32) >> 16).astype(np.uint16)
    writer.add_tensor("BF16", bits.view(np.uint8), raw_dtype=gguf.GGMLQuantizationType.BF16)
    expected["BF16"] = (bits.astype(np.uint32) << 16).view(np.float32)
    writer.add_tensor("I32", np.arange(6, dtype=np.int32))
    save(writer)
    answer = {
        name: {"shape": list(array.shape), "float32": base64.b64encode(array.astype("<f4").tobytes()).decode()}
        for name, array in expected.items()
    }
    (HERE / "types.json").write_text(json.dumps(answer) + "\n")


def permute(weight: np.ndarray, heads: int) -> np.ndarray:
    """As LlamaModel.permute of llama.cpp's convert_hf_to_gguf.py."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def model(golden: str, out: str, arch: gguf.MODEL_ARCH, dtype: type) -> None:
    folder = HERE.parent / golden
    config = json.loads((folder / "config.json").read_text())
    name = gguf.MODEL_ARCH_NAMES[arch]
    writer = gguf.GGUFWriter(str(HERE / out), name)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    tokenizer(writer, config["vocab_size"], golden == "llama")
    names = gguf.get_tensor_name_map(arch, config["num_hidden_layers"])
    for key, weight in load_file(folder / "model.safetensors").items():
        weight = weight.float().numpy()
        if name == "llama" and key.endswith("q_proj.weight"):
            weight = permute(weight, config["num_attention_heads"])
        if name == "llama" and key.endswith("k_proj.weight"):
            weight = permute(weight, config["num_key_value_heads"])
        stored = weight.astype(dtype if weight.ndim == 2 else np.float32)
        writer.add_tensor(names.get_name(key, try_suffixes=(".weight", ".bias")), stored)
    save(writer)


SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
PIECES = [*"abcdef", "Ġ", "Ċ", *"0123456789", ".", "Ġa", "ab", "Ġab", "abc", "12", "123", "Ġ1", "de", "def"]
MERGES = ["Ġ a", "a b", "Ġa b", "ab c", "1 2", "12 3", "Ġ 1", "d e", "de f"]
TEXTS = ["abc def 123 12", " ab1213\nabcabc.", "<|im_start|>ab 1<|im_end|>", "fed  a 0"]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.content }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>{% endif %}"
)


def tokenizer(writer: gguf.GGUFWriter, size: int, own: bool) -> None:
    tokens = [*SPECIAL, *PIECES]
    kinds = [gguf.TokenType.CONTROL] * 3 + [gguf.TokenType.NORMAL] * len(PIECES)
    while len(tokens) < size:
        tokens.append(f"[PAD{len(tokens)}]")
        kinds.append(gguf.TokenType.UNUSED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_eot_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(own)
    if own:
        writer.add_chat_template(TEMPLATE)
        peer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, [tuple(m.split()) for m in MERGES]))
        peer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
        peer.add_special_tokens(SPECIAL)
        ids = {text: peer.encode(text, add_special_tokens=False).ids for text in TEXTS}
        (HERE / "tokens.json").write_text(json.dumps(ids, ensure_ascii=False) + "\n")


def save(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


types()
model("llama", "llama.gguf", gguf.MODEL_ARCH.LLAMA, np.float32)
model("qwen2-tied", "qwen2.gguf", gguf.MODEL_ARCH.QWEN2, np.float16)
