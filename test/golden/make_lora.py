"""Golden adapters of Python's peft for test/lm/lora.test.ts: what it saves, its logits, PyTorch's gradients.

    pip install torch==2.13.0 transformers peft && python test/golden/make_lora.py      (from the repository's root)

On the tiny decoders of make_decoders.py. A and B are moved away from their start; `texts` are run one by one with the
adapter, gradients are those of the sum of -log p of every token after the first of each text, dropout off. `resized`:
the table was lengthened, its new rows are the adapter's.
"""
import json
import pathlib
import shutil

import torch
import transformers
from transformers import AutoModelForCausalLM
import peft
from peft import LoraConfig, get_peft_model

folder = pathlib.Path("test/golden")
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
BOTH = ["embed_tokens", "lm_head"]
TEXTS = [[3, 17, 29, 5, 11, 2, 40, 8, 9], [1], [7, 7, 7, 30], [12, 0, 33, 21, 4, 6]]
MADE = {
    "matrices": ("qwen2-tied", None, dict(r=4, lora_alpha=8, target_modules=ALL)),
    "modules": ("qwen2-untied", None, dict(r=3, lora_alpha=6, target_modules=["q_proj", "v_proj"], use_rslora=True,
                                           modules_to_save=BOTH)),
    "parted": ("qwen2-tied", None, dict(r=2, lora_alpha=2, target_modules=["o_proj"], modules_to_save=BOTH)),
    "one-parted": ("qwen2-tied", None, dict(r=2, lora_alpha=2, target_modules=["up_proj"],
                                            modules_to_save=["embed_tokens"])),
    "rows": ("qwen3", None, dict(r=2, lora_alpha=4, target_modules=ALL, trainable_token_indices=[8, 29, 40])),
    "rows-untied": ("qwen2-untied", None, dict(r=2, lora_alpha=4, target_modules=["k_proj"],
                                               trainable_token_indices=dict(embed_tokens=[2, 3], lm_head=[5, 6]))),
    "resized": ("llama", 44, dict(r=4, lora_alpha=4, target_modules=["gate_proj", "down_proj"])),
    "resized-rows": ("qwen2-tied", 44, dict(r=2, lora_alpha=4, target_modules=["q_proj"],
                                            trainable_token_indices=[41, 42, 43])),
}


def numbers(tensor):
    return [float(f"{x:.7g}") for x in tensor.flatten().tolist()]


def loss_of(model):
    total = 0.0
    for text in TEXTS:
        if len(text) > 1:
            logp = torch.log_softmax(model(torch.tensor([text])).logits[0, :-1], -1)
            total = total - logp[range(len(text) - 1), text[1:]].sum()
    return total


shutil.rmtree(folder / "lora", ignore_errors=True)
for name, (base, rows, options) in MADE.items():
    torch.manual_seed(11)
    model = AutoModelForCausalLM.from_pretrained(str(folder / base), dtype=torch.float32)
    if rows:
        model.resize_token_embeddings(rows)
    tuned = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, **options)).eval()
    with torch.no_grad():
        for p in tuned.parameters():
            if p.requires_grad:
                p.add_(0.3 * torch.randn_like(p))
    out = folder / "lora" / name
    tuned.save_pretrained(str(out))
    (out / "README.md").unlink()
    texts = [dict(tokens=t, logits=numbers(tuned(torch.tensor([t])).logits[0])) for t in TEXTS]
    loss = loss_of(tuned)
    loss.backward()
    gradients = {
        n.removeprefix("base_model.model.").replace(".default", ""): numbers(p.grad)
        for n, p in tuned.named_parameters() if p.requires_grad
    }
    made_by = f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}"
    golden = dict(madeBy=made_by, base=base, texts=texts, loss=loss.item(), gradients=gradients)
    (out / "golden.json").write_text(json.dumps(golden))
