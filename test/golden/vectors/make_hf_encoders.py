"""Tiny encoders with random weights as folders of safetensors, and the vectors of sentence-transformers and
transformers, for test/embed/hf-encoder.test.ts.

    pip install torch transformers sentence-transformers
    python test/golden/vectors/make_hf_encoders.py

Writes bert/, roberta/ and qwen3/ beside itself. Tokenizers are those of ../tiny-encoder and ../tiny-qwen3-encoder.
"""
import json
import pathlib
import shutil

import sentence_transformers
import torch
import transformers
from sentence_transformers import SentenceTransformer, models
from transformers import BertConfig, BertModel, Qwen3Config, Qwen3Model, RobertaConfig, RobertaModel

HERE = pathlib.Path(__file__).parent
GOLDEN = HERE.parent
TEXTS = ["hex bolt, steel", "a", "wing nut of brass for a folding lamp, cordless", "steel " * 30, "brass nut"]
SIZES = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24)


def copy_tokenizer(folder, of):
    for name in ["tokenizer.json", "tokenizer_config.json", "sentence_bert_config.json", "modules.json"]:
        if (GOLDEN / of / name).exists():
            shutil.copy(GOLDEN / of / name, folder / name)
    shutil.copytree(GOLDEN / of / "1_Pooling", folder / "1_Pooling", dirs_exist_ok=True)


def make(name, model, of):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    torch.manual_seed(11)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.35)
    model.eval().save_pretrained(folder)
    copy_tokenizer(folder, of)
    answer = dict(
        made_with=dict(torch=torch.__version__, transformers=transformers.__version__,
                       sentence_transformers=sentence_transformers.__version__),
        texts=TEXTS, cases=[],
    )
    for pooling in ["mean", "cls", "lasttoken"]:
        for normalize in [False, True]:
            parts = [models.Transformer(str(folder), max_seq_length=24), models.Pooling(16, pooling_mode=pooling)]
            whole = SentenceTransformer(modules=parts + ([models.Normalize()] if normalize else []), device="cpu")
            if pooling == "mean" and not normalize:
                answer["ids"] = [whole.tokenizer(text, truncation=True, max_length=24)["input_ids"] for text in TEXTS]
            vectors = [[float(x) for x in row] for row in whole.encode(TEXTS)]
            answer["cases"].append(dict(pooling=pooling, normalize=normalize, vectors=vectors))
    ids = answer["ids"][2]
    with torch.no_grad():
        hidden = model(input_ids=torch.tensor([ids])).last_hidden_state[0]
    answer["hidden"] = hidden.tolist()
    (folder / "golden.json").write_text(json.dumps(answer) + "\n")


def vocabulary(of):
    return json.loads((GOLDEN / of / "config.json").read_text())["vocab_size"]


common = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, max_position_embeddings=64)
bert = BertConfig(vocab_size=vocabulary("tiny-encoder"), **SIZES, **common)
make("bert", BertModel(bert, add_pooling_layer=True), "tiny-encoder")
roberta = RobertaConfig(vocab_size=vocabulary("tiny-encoder"), type_vocab_size=1, hidden_act="relu", pad_token_id=0,
                        layer_norm_eps=1e-5, **SIZES, **common)
make("roberta", RobertaModel(roberta, add_pooling_layer=False), "tiny-encoder")
qwen3 = Qwen3Config(**json.loads((GOLDEN / "tiny-qwen3-encoder" / "config.json").read_text()))
make("qwen3", Qwen3Model(qwen3), "tiny-qwen3-encoder")
