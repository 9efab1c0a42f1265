"""Logits, loss and gradients of two tiny T5s, relative buckets, and the best items, for test/baselines/tiger.test.ts.

python make_tiger.py   (torch 2.13, transformers 5.24): writes tiger.json beside this file. Encoder inputs are padded on the
right and masked; the loss is transformers' own (mean over the labels). `lists` ranks all items of each row by the sum of
their tokens' log-probabilities, each computed by a pass of its own.
"""
import json
import pathlib

import torch
from transformers import T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5Attention

SIDS = [[1, 4, 7], [1, 5, 8], [2, 4, 9], [3, 6, 7], [2, 6, 8], [3, 4, 10]]
HISTORIES = [[0, 3, 5], [1], [4, 4, 2, 0]]
TARGETS = [2, 5, 0]
SIZE = {"vocabSize": 11, "width": 8, "layers": 2, "heads": 2, "headWidth": 3, "feedForward": 16}
DECODER_LAYERS = 3  # of the second, whose encoder has one layer


def tiny(layers, decoder_layers):
    config = T5Config(
        vocab_size=11, d_model=8, d_kv=3, d_ff=16, num_layers=layers, num_decoder_layers=decoder_layers, num_heads=2,
        dropout_rate=0.0, feed_forward_proj="relu", pad_token_id=0, decoder_start_token_id=0, eos_token_id=0,
        tie_word_embeddings=True,
    )
    torch.manual_seed(11)
    model = T5ForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "relative" in name:
                parameter.copy_(torch.randn(parameter.shape))
            elif "norm" in name:
                parameter.add_(0.2 * torch.randn(parameter.shape))
    return model


reads = [[token for item in history for token in SIDS[item]] for history in HISTORIES]
longest = max(map(len, reads))
ids = torch.tensor([read + [0] * (longest - len(read)) for read in reads])
mask = torch.tensor([[1] * len(read) + [0] * (longest - len(read)) for read in reads])


def logits_of(model, items):
    answers = torch.tensor([SIDS[item] for item in items])
    starts = torch.cat([torch.zeros(len(items), 1, dtype=torch.long), answers[:, :-1]], 1)
    return model(input_ids=ids, attention_mask=mask, decoder_input_ids=starts).logits, answers


def rounded(tensor):
    return {"shape": list(tensor.shape), "data": [float(f"{x:.8g}") for x in tensor.detach().flatten().tolist()]}


def measured(model):
    logits, answers = logits_of(model, TARGETS)
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), answers.flatten())
    loss.backward()
    with torch.no_grad():
        scores = []
        for item in range(len(SIDS)):
            of_item, tokens = logits_of(model, [item] * len(HISTORIES))
            scores.append(of_item.log_softmax(-1).gather(2, tokens[:, :, None]).sum((1, 2)))
    named = dict(model.named_parameters())
    return {
        "weights": {name: rounded(p) for name, p in named.items()},
        "logits": rounded(logits), "loss": float(f"{loss.item():.8g}"),
        "gradients": {name: rounded(p.grad) for name, p in named.items()},
        "scores": rounded(torch.stack(scores, 1)),
    }


distances = list(range(-150, 151))
bucket = lambda both: T5Attention._relative_position_bucket(
    torch.tensor(distances), bidirectional=both, num_buckets=32, max_distance=128
).tolist()
result = {
    "sids": SIDS, "histories": HISTORIES, "targets": TARGETS,
    "models": [
        {"size": SIZE, **measured(tiny(2, 2))},
        {"size": {**SIZE, "layers": 1, "decoderLayers": DECODER_LAYERS}, **measured(tiny(1, DECODER_LAYERS))},
    ],
    "buckets": {"distances": distances, "both": bucket(True), "past": bucket(False)},
}
pathlib.Path(__file__).with_name("tiger.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
