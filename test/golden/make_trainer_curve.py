"""Golden curve of transformers' Trainer for test/train/trainer-curve.test.ts: 50 updates of a tiny Qwen2 in float32.

    pip install torch==2.13.0 transformers accelerate && python test/golden/make_trainer_curve.py

Writes trainer-curve/: the initial weights (bfloat16, exact in float32) and golden.json with the examples in the order of
training, the settings, and loss, gradient norm and learning rate of every update. Loss on the answers only, batches of 8
in two accumulated halves, padded; AdamW with decay, a linear schedule, clipping that acts.
"""
import json
import pathlib
import random
import tempfile

import torch
import transformers
from torch.utils.data import SequentialSampler
from transformers import Qwen2Config, Qwen2ForCausalLM, Trainer, TrainingArguments

HERE = pathlib.Path(__file__).parent / "trainer-curve"
STEPS, BATCH, MICRO, VOCAB = 50, 8, 4, 64
RATE, DECAY, CLIP = 3e-3, 0.05, 0.5

torch.manual_seed(11)
random.seed(11)
config = Qwen2Config(
    vocab_size=VOCAB, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=64, tie_word_embeddings=True, bos_token_id=None, eos_token_id=0,
)
model = Qwen2ForCausalLM(config).float()
with torch.no_grad():
    for p in model.parameters():
        p.copy_((p + 0.05 * torch.randn_like(p)).bfloat16().float())

follows = [random.sample(range(1, VOCAB), 3) for _ in range(VOCAB)]  # something to learn: few tokens follow each


def example():
    tokens = [random.randrange(1, VOCAB)]
    while len(tokens) < random.randrange(8, 20):
        tokens.append(random.choice(follows[tokens[-1]]))
    return dict(tokens=tokens, answer=random.randrange(1, 6))  # the last `answer` tokens are learnt


examples = [example() for _ in range(STEPS * BATCH)]
HERE.mkdir(exist_ok=True)
weights = {name: p.detach().bfloat16() for name, p in model.state_dict().items() if name != "lm_head.weight"}
from safetensors.torch import save_file  # noqa: E402

save_file({k: v.contiguous() for k, v in weights.items()}, HERE / "model.safetensors", metadata={"format": "pt"})
config.save_pretrained(HERE)


def collate(rows):
    longest = max(len(row["tokens"]) for row in rows)
    pad = lambda values, fill: values + [fill] * (longest - len(values))
    label = lambda row: [-100] * (len(row["tokens"]) - row["answer"]) + row["tokens"][-row["answer"] :]
    return dict(
        input_ids=torch.tensor([pad(row["tokens"], 0) for row in rows]),
        attention_mask=torch.tensor([pad([1] * len(row["tokens"]), 0) for row in rows]),
        labels=torch.tensor([pad(label(row), -100) for row in rows]),
    )


class InOrder(Trainer):
    def _get_train_sampler(self, dataset=None):
        return SequentialSampler(self.train_dataset)


args = TrainingArguments(
    output_dir=tempfile.mkdtemp(), max_steps=STEPS, per_device_train_batch_size=MICRO,
    gradient_accumulation_steps=BATCH // MICRO, learning_rate=RATE, weight_decay=DECAY, max_grad_norm=CLIP,
    lr_scheduler_type="linear", warmup_steps=0, logging_steps=1, logging_first_step=True, save_strategy="no",
    report_to=[], use_cpu=True, remove_unused_columns=False, disable_tqdm=True, optim="adamw_torch",
)
trainer = InOrder(model=model, args=args, train_dataset=examples, data_collator=collate)
trainer.train()
log = [line for line in trainer.state.log_history if "loss" in line]
golden = dict(
    madeBy=f"torch {torch.__version__}, transformers {transformers.__version__}",
    batch=BATCH, rate=RATE, decay=DECAY, clip=CLIP, examples=examples,
    loss=[line["loss"] for line in log], norm=[float(line["grad_norm"]) for line in log],
    learningRate=[line["learning_rate"] for line in log],
)
(HERE / "golden.json").write_text(json.dumps(golden) + "\n")
