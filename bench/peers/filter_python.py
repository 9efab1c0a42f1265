"""The `filter` benchmark's plain peer: reviews line by line into Python objects, a k-core by repeated counting, rows by
a dictionary of histories; the way of MiniOneRec's script. Usage: filter_python.py REVIEWS META OUT"""

import gzip
import json
import os
import re
import sys
import time
from collections import Counter
from datetime import datetime, timezone

MARKUP = re.compile(r"</?[a-z!][^>]*(>|$)", re.I)
FIRST = datetime(1996, 10, 1, tzinfo=timezone.utc).timestamp()
LAST = datetime(2018, 11, 1, tzinfo=timezone.utc).timestamp()


def main(reviews_file, meta_file, out):
    start, used = time.perf_counter(), time.process_time()
    titles = []
    with gzip.open(meta_file, "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            title = item["title"].strip()
            if title and not MARKUP.search(title) and len(title.split()) <= 20:
                titles.append(item["asin"])
    good = set(titles)
    reviews = []
    with gzip.open(reviews_file, "rt", encoding="utf-8") as lines:
        for line in lines:
            review = json.loads(line)
            if FIRST <= review["unixReviewTime"] < LAST and review["asin"] in good:
                reviews.append((review["reviewerID"], review["asin"], int(review["unixReviewTime"])))
    reviews = list(dict.fromkeys(reviews))
    while True:
        users = Counter(user for user, _, _ in reviews)
        items = Counter(item for _, item, _ in reviews)
        left = [r for r in reviews if users[r[0]] >= 5 and items[r[1]] >= 5]
        if len(left) == len(reviews):
            break
        reviews = left
    bought = {item for _, item, _ in reviews}
    ids = {asin: i for i, asin in enumerate(asin for asin in titles if asin in bought)}
    reviews.sort(key=lambda review: review[2])
    histories = {}
    rows = []
    for user, asin, _ in reviews:
        history = histories.setdefault(user, [])
        item = ids[asin]
        if history:
            rows.append((user, history[-10:], item))
        history.append(item)
    first, second = 8 * len(rows) // 10, 9 * len(rows) // 10
    for split, part in (("train", rows[:first]), ("valid", rows[first:second]), ("test", rows[second:])):
        with open(os.path.join(out, f"Shop.{split}.inter"), "w") as file:
            file.write("user_id:token\titem_id_list:token_seq\titem_id:token\n")
            for user, history, item in part:
                file.write(f"{user}\t{' '.join(map(str, history))}\t{item}\n")
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    print(json.dumps({"seconds": seconds, "processor": processor, "rows": len(rows)}))


main(*sys.argv[1:])
