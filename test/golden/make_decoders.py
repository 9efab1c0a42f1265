"""Golden values of Hugging Face's decoders for test/lm/forward.test.ts: tiny random models, their logits and PyTorch's
gradients.

    pip install torch==2.13.0 transformers && python test/golden/make_decoders.py

Qwen2 with tied embeddings and grouped keys, Qwen2 untied, Qwen3 in several files, Llama 3.1 with stretched rotary
frequencies in bfloat16 (the values are those of float32 arithmetic on the rounded weights). `texts` are run one by one (no
padding). `comb` is a prompt shared by several branches: the logits are those of the separate texts, the gradient that of
the sum over branches of weight * log p(branch | prompt).
"""
import copy
import json
import pathlib

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

folder = pathlib.Path(__file__).parent
torch.manual_seed(7)

TEXTS = [[3, 17, 29, 5, 11, 2, 40, 8, 9], [1], [7, 7, 7, 30], [12, 0, 33, 21, 4, 6]]
TRUNK = [5, 9, 31, 2, 14]
BRANCHES = [[8, 3], [8, 20, 11], [39], [1, 2, 3, 4]]
BRANCH_WEIGHTS = [1.0, -0.5, 0.25, 2.0]


def log_prob(model, prompt, answer):
    logits = model(torch.tensor([prompt + answer])).logits[0]
    logp = torch.log_softmax(logits[len(prompt) - 1 : -1].float(), -1)
    return logp[range(len(answer)), answer].sum()


def numbers(tensor):
    return [float(f"{x:.7g}") for x in tensor.flatten().tolist()]


LLAMA3 = dict(rope_type="llama3", rope_theta=500.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=16)
MODELS = {
    "qwen2-tied": (Qwen2Config, Qwen2ForCausalLM, dict(num_key_value_heads=2, tie_word_embeddings=True)),
    "qwen2-untied": (Qwen2Config, Qwen2ForCausalLM, dict(num_key_value_heads=4, tie_word_embeddings=False)),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM, dict(num_key_value_heads=2, head_dim=8, tie_word_embeddings=True)),
    "llama": (LlamaConfig, LlamaForCausalLM,
              dict(num_key_value_heads=2, tie_word_embeddings=False, rope_parameters=LLAMA3)),
}

for name, (Config, Model, extra) in MODELS.items():
    config = Config(
        vocab_size=41, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=64, eos_token_id=0, bos_token_id=None, **extra,
    )
    model = Model(config).float().eval()
    for p in model.parameters():  # away from the tame start, norms and biases included
        p.data = p.data + 0.25 * torch.randn_like(p)
    if name == "llama":
        for p in model.parameters():  # the parameters alone: .to() would round the rotary frequencies too
            p.data = p.data.bfloat16().float()
        copy.deepcopy(model).to(torch.bfloat16).save_pretrained(folder / name)
    else:
        model.save_pretrained(folder / name, **({"max_shard_size": "8KB"} if name == "qwen3" else {}))
    (folder / name / "generation_config.json").unlink(missing_ok=True)
    texts = [dict(tokens=t, logits=numbers(model(torch.tensor([t])).logits[0])) for t in TEXTS]

    model.zero_grad()
    chain_loss = -sum(log_prob(model, t[:1], t[1:]) for t in TEXTS if len(t) > 1)
    chain_loss.backward()
    chain = dict(loss=chain_loss.item(), gradients={n: numbers(p.grad) for n, p in model.named_parameters()})

    model.zero_grad()
    logps = [log_prob(model, TRUNK, b) for b in BRANCHES]
    comb_loss = -sum(w * l for w, l in zip(BRANCH_WEIGHTS, logps))
    comb_loss.backward()
    comb = dict(
        trunk=TRUNK, branches=BRANCHES, weights=BRANCH_WEIGHTS, loss=comb_loss.item(),
        logProbs=[l.item() for l in logps],
        logits=[numbers(model(torch.tensor([TRUNK + b])).logits[0]) for b in BRANCHES],
        gradients={n: numbers(p.grad) for n, p in model.named_parameters()},
    )
    made_by = f"torch {torch.__version__}, transformers {transformers.__version__}"
    (folder / name / "golden.json").write_text(json.dumps(dict(madeBy=made_by, texts=texts, chain=chain, comb=comb)))
