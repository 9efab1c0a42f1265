"""Fine-tuning on real prompts by Hugging Face's Trainer, for `npm run bench -- sft-real`.

python sft_real.py FOLDER [WAY]: reads job.json {config, examples: [{tokens, labelPositions, labels}], microBatch, steps,
rate, clip}; WAY is one of training.py, default best. All examples are one update of the Trainer's: micro-batches grouped
by length, padded to a multiple of 8, labels on the answers alone, its AdamW, clipping. `steps` micro-batches, evenly
spread from the longest to the shortest, and the update are measured. Prints {"precision" (the way), "rates", "seconds"
(of all examples, projected by the tokens through the model), "each", "update", "tokens" (of all examples, padded),
"parts" (micro-batches of all examples), "peak" (bytes, of the process)}.
"""
import json
import pathlib
import resource
import sys

import torch
from precision import DEVICE, clock, decoder_products
from training import choose_way, prepared, products_in
from transformers import Qwen2Config, Qwen2ForCausalLM, Trainer, TrainerCallback, TrainingArguments

folder = pathlib.Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
micro, steps = job["microBatch"], job["steps"]


def row(example):
    tokens = example["tokens"] + example["labels"][-1:]
    labels = [-100] * len(tokens)
    for at, label in zip(example["labelPositions"], example["labels"]):
        labels[at + 1] = label
    return {"input_ids": tokens, "labels": labels}


def width(batch):
    return -(-max(len(one["input_ids"]) for one in batch) // 8) * 8


def collate(batch):
    longest = width(batch)
    padded = lambda key, value: torch.tensor([one[key] + [value] * (longest - len(one[key])) for one in batch])
    mask = torch.tensor([[1] * len(one["input_ids"]) + [0] * (longest - len(one["input_ids"])) for one in batch])
    return {"input_ids": padded("input_ids", 0), "labels": padded("labels", -100), "attention_mask": mask}


rows = sorted(map(row, job["examples"]), key=lambda one: -len(one["input_ids"]))
batches = [rows[i:i + micro] for i in range(0, len(rows), micro)]
steps = min(steps, len(batches))
picked = [batches[int((i + 0.5) * len(batches) / steps)] for i in range(steps)]
padded = lambda of: sum(len(batch) * width(batch) for batch in of)
tokens = padded(picked[len(picked) // 2 :][:1])  # transformers computes logits for every one
way, measured = choose_way(sys.argv[2] if len(sys.argv) > 2 else "best", decoder_products(job["config"], tokens, tokens))
torch.manual_seed(42)
model = prepared(Qwen2ForCausalLM(Qwen2Config(**job["config"], use_cache=False)), way)


class Clocked(Trainer):
    each = []

    def training_step(self, *args, **kwargs):
        begin = clock()
        loss = super().training_step(*args, **kwargs)
        self.each.append(clock() - begin)
        return loss


class Whole(TrainerCallback):
    def on_step_begin(self, *args, **kwargs):
        self.begin = clock()

    def on_step_end(self, *args, **kwargs):
        self.seconds = clock() - self.begin


whole = Whole()
trainer = Clocked(
    model=model,
    args=TrainingArguments(
        output_dir=str(folder / "trainer"), use_cpu=DEVICE == "cpu", num_train_epochs=1, per_device_train_batch_size=micro,
        gradient_accumulation_steps=steps, train_sampling_strategy="group_by_length", learning_rate=job["rate"],
        lr_scheduler_type="constant", max_grad_norm=job["clip"], weight_decay=0.0, save_strategy="no",
        logging_strategy="no", report_to=[], disable_tqdm=True, remove_unused_columns=False, bf16=way == "autocast",
    ),
    train_dataset=[one for batch in picked for one in batch],
    data_collator=collate,
    callbacks=[whole],
)

# Once without a clock: kernels and moments stand.
optimizer = trainer.create_optimizer()
with products_in(way):
    loss = model(**collate(batches[-1][:2])).loss
loss.backward()
optimizer.step()
optimizer.zero_grad(set_to_none=True)
trainer.train()

each = trainer.each
assert len(each) == steps and trainer.state.global_step == 1
update = whole.seconds - sum(each)
print(json.dumps({
    "precision": way,
    "rates": measured,
    "seconds": sum(each) * padded(batches) / padded(picked) + update,
    "each": each,
    "update": update,
    "tokens": padded(batches),
    "parts": len(batches),
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
}))
