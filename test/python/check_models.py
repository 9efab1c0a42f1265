"""Models and adapters seen by Python's transformers and peft, for test/lm/python-models.test.ts.

    pip install torch transformers peft
    python test/python/check_models.py read < request.json     # logits and token ids of folders that we saved
    python test/python/check_models.py make OUT                # folders that we shall load, logits in OUT/made.json

Request: `{"folders": [...], "text": "...", "tokens": [[...], ...]}`. An adapter's base is the one that it names; its
table is lengthened to the tokenizer first, as PEFT asks.
"""
import json
import os
import pathlib
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def load(folder, rows):
    folder = pathlib.Path(folder)
    if not (folder / "adapter_config.json").exists():
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    base = json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if rows > model.get_input_embeddings().weight.shape[0]:
        model.resize_token_embeddings(rows, mean_resizing=False)
    return PeftModel.from_pretrained(model, folder).eval()


def logits_of(model, tokens):
    with torch.no_grad():
        return [model(torch.tensor([ids])).logits[0].flatten().tolist() for ids in tokens]


def read(request):
    answers = []
    for folder in request["folders"]:
        fast = PreTrainedTokenizerFast.from_pretrained(folder)
        auto = AutoTokenizer.from_pretrained(folder)
        model = load(folder, len(fast))
        answers.append(dict(
            folder=folder,
            parameters=sum(p.numel() for p in model.parameters()),
            ids=fast(request["text"], add_special_tokens=False)["input_ids"],
            auto=auto(request["text"], add_special_tokens=False)["input_ids"],
            logits=logits_of(model, request["tokens"]),
        ))
    return answers


def make(out):
    made = []
    tokens = [[3, 17, 29, 5], [40, 0, 2]]
    for architecture in ["Qwen2", "Qwen3", "Llama"]:
        torch.manual_seed(5)
        config = getattr(transformers, f"{architecture}Config")(
            vocab_size=41, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, head_dim=8, max_position_embeddings=64, eos_token_id=0, bos_token_id=None,
            tie_word_embeddings=architecture != "Llama",
        )
        model = getattr(transformers, f"{architecture}ForCausalLM")(config).float().eval()
        base = out / architecture
        model.save_pretrained(base)
        made.append(dict(folder=str(base), logits=logits_of(model, tokens)))
        for name, options in dict(
            adapters=dict(), modules=dict(modules_to_save=["embed_tokens", "lm_head"]),
            rows=dict(trainable_token_indices=[2, 40]),
        ).items():
            start = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
            tuned = get_peft_model(start, LoraConfig(
                task_type="CAUSAL_LM", r=4, lora_alpha=8, lora_dropout=0.1, target_modules=ALL, **options)).eval()
            with torch.no_grad():
                for p in tuned.parameters():
                    if p.requires_grad:
                        p.add_(0.1 * torch.randn_like(p))
            folder = out / f"{architecture}-{name}"
            tuned.save_pretrained(folder)
            made.append(dict(folder=str(folder), logits=logits_of(tuned, tokens)))
    (out / "made.json").write_text(json.dumps(dict(tokens=tokens, made=made)))


if sys.argv[1] == "read":
    print(json.dumps(read(json.load(sys.stdin))))
else:
    make(pathlib.Path(sys.argv[2]))
