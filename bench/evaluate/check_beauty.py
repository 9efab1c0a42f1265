"""Beauty's figures from the published file alone, by none of the kit's code.

python check_beauty.py Beauty.inter.json [results.jsonl]: HR@10 and NDCG@10 of counted transitions (each user's items but
the last two; ties by popularity) and, where they are given, of a baseline's lists; both also for the first 2,500 users and
the last 2,363 of the file. Ends with an error where a list is not of the user's last item.
"""
import json
import math
import sys
from collections import Counter, defaultdict


def told(name, tops, targets):
    places = [top.index(target) if target in top else None for top, target in zip(tops, targets)]
    for part, some in {"all": places, "first": places[:2500], "last": places[20000:]}.items():
        found = [place for place in some if place is not None]
        hr, ndcg = len(found) / len(some), sum(1 / math.log2(place + 2) for place in found) / len(some)
        print(f"{name}, {part}: HR@10 {hr:.4f} NDCG@10 {ndcg:.4f}")


sequences = json.load(open(sys.argv[1]))
targets = [items[-1] for items in sequences.values()]
after, bought = defaultdict(Counter), Counter()
for items in sequences.values():
    trained = items[:-2]
    bought.update(trained)
    for one, other in zip(trained, trained[1:]):
        after[one][other] += 1
popular = [item for item, _ in bought.most_common()]
tops = []
for items in sequences.values():
    counted = sorted(after[items[-2]].items(), key=lambda pair: (-pair[1], -bought[pair[0]]))
    top = [item for item, _ in counted][:10]
    tops.append((top + [item for item in popular[:20] if item not in top])[:10])
told("transition", tops, targets)
if len(sys.argv) > 2:
    results = [json.loads(line) for line in open(sys.argv[2])]
    for (user, items), result in zip(sequences.items(), results, strict=True):
        assert (str(result["user"]), result["target"]) == (user, items[-1]), user
        assert items[:-1][-len(result["history"]) :] == result["history"], user
    told("lists", [result["items"][:10] for result in results], targets)
