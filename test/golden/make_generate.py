"""Golden file of transformers' greedy generation and sampling warpers for test/decode/generate.test.ts.

    pip install torch==2.13.0 transformers && python test/golden/make_generate.py   (writes generate.json beside itself)

The models are the tiny ones of make_decoders.py. `greedy`: what `generate(do_sample=False)` writes after each prompt,
prompts one by one; end of text is token 0, and a second run ends at token `stop`, one that these models do write. `beams`: the four best texts of beam search that ends at `stop`, and
the sums of their log-probabilities.
`nucleus`: the distribution that transformers draws the first token from, by its own warpers (temperature, top-k, top-p).
"""
import json
import pathlib

import torch
import transformers
from transformers import AutoModelForCausalLM, GenerationConfig
from transformers.generation.logits_process import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

folder = pathlib.Path(__file__).parent
PROMPTS = [[3, 17, 29, 5, 11, 2, 40, 8, 9], [1], [7, 7, 7, 30], [12, 0, 33, 21, 4, 6], [40], [5, 9, 31, 2, 14, 8, 3]]
MAX_TOKENS = 24
WARPED = [dict(temperature=1.0, topP=0.8, topK=0), dict(temperature=0.7, topP=0.95, topK=7),
          dict(temperature=1.5, topP=0.5, topK=0), dict(temperature=1.3, topP=1.0, topK=0)]

models = {}
for name in ["qwen2-tied", "qwen2-untied", "qwen3", "llama"]:
    model = AutoModelForCausalLM.from_pretrained(folder / name, dtype=torch.float32).eval()

    def greedy(end):
        config = GenerationConfig(do_sample=False, max_new_tokens=MAX_TOKENS, eos_token_id=end, pad_token_id=40)
        texts = []
        for prompt in PROMPTS:
            ids = torch.tensor([prompt])
            out = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
            texts.append(out[0, len(prompt):].tolist())
        return texts

    free = greedy(0)
    written = [token for text in free for token in text[1:8]]
    stop = max(set(written), key=written.count)
    warped = []
    for options in WARPED:
        logits = model(torch.tensor([PROMPTS[0]])).logits[:, -1].detach().double()
        logits = TemperatureLogitsWarper(options["temperature"])(None, logits)
        if options["topK"]:
            logits = TopKLogitsWarper(options["topK"])(None, logits)
        if options["topP"] < 1:
            logits = TopPLogitsWarper(options["topP"])(None, logits)
        shares = torch.softmax(logits, -1)[0].tolist()
        warped.append(dict(options=options, shares=[float(f"{x:.9g}") for x in shares]))

    beams = []
    config = GenerationConfig(do_sample=False, num_beams=4, num_return_sequences=4, length_penalty=0.0, max_new_tokens=9,
                              eos_token_id=stop, pad_token_id=stop, return_dict_in_generate=True, output_scores=True)
    for prompt in PROMPTS:
        ids = torch.tensor([prompt])
        out = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
        texts = [text[len(prompt):].tolist() for text in out.sequences]
        texts = [text[: text.index(stop)] if stop in text else text for text in texts]
        beams.append(dict(texts=texts, scores=[float(f"{x:.7g}") for x in out.sequences_scores.tolist()]))
    models[name] = dict(beams=beams, greedy=free, stop=stop, stopped=greedy(stop), nucleus=warped)

made_by = f"torch {torch.__version__}, transformers {transformers.__version__}"
out = dict(madeBy=made_by, prompts=PROMPTS, maxTokens=MAX_TOKENS, models=models)
(folder / "generate.json").write_text(json.dumps(out) + "\n")
