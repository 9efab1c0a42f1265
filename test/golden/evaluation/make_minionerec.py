"""final_result_sample.json, sample.index.json and calc.json: MiniOneRec's results file, and what the rules of its calc.py give.

python test/golden/evaluation/make_minionerec.py

Written from a description of the rules, not from its code: texts are stripped of blanks, line ends and quotes; the rank is
the place of the first text that equals the target; of every row texts that are no item are counted up to the hit; HR@k
is the share of rows with a place below k; NDCG@k sums 1 / ln(place + 2) (place from 0), over rows, over 1 / ln 2; only k
up to the length of the lists.
"""
import json
import math
import pathlib
import random

random.seed(5)
folder = pathlib.Path(__file__).parent
items = [f"<a_{a}><b_{b}><c_{c}>" for a in range(3) for b in range(3) for c in range(2)]
BEAMS, ROWS = 10, 40
rows = []
for _ in range(ROWS):
    beams = random.sample(items, BEAMS)
    if random.random() < 0.4:
        beams[random.randrange(BEAMS)] = "<a_9><b_9><c_9>"
    if random.random() < 0.3:
        beams[random.randrange(1, BEAMS)] = beams[0]
    history = ", ".join(random.sample(items, random.randint(1, 4)))
    rows.append({"input": f"The user has interacted with items {history} in order.", "output": random.choice(items) + "\n",
                 "predict": [random.choice(['"', "", " "]) + sid + random.choice(["\n", ""]) for sid in beams]})

hits, gains, invalid = {}, {}, 0
strip = lambda text: text.strip(' \n"')
for row in rows:
    target, found = strip(row["output"]), None
    for place, text in enumerate(map(strip, row["predict"])):
        if text not in items:
            invalid += 1
        if text == target:
            found = place
            break
    for k in (1, 3, 5, 10):
        hit = found is not None and found < k
        hits[k] = hits.get(k, 0) + hit
        gains[k] = gains.get(k, 0) + (1 / math.log(found + 2) if hit else 0)

metrics = {}
for k in (1, 3, 5, 10):
    metrics[f"HR@{k}"] = hits[k] / ROWS
    metrics[f"NDCG@{k}"] = gains[k] / ROWS / (1 / math.log(2))
(folder / "final_result_sample.json").write_text(json.dumps(rows, indent=1) + "\n")
(folder / "calc.json").write_text(json.dumps({"metrics": metrics, "invalid": invalid}) + "\n")
tokens = lambda sid: [part + ">" for part in sid.split(">") if part]
(folder / "sample.index.json").write_text(json.dumps({str(i): tokens(sid) for i, sid in enumerate(items)}) + "\n")
