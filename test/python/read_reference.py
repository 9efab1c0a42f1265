"""A data folder as MiniOneRec and GRec read it, written from their file formats; the standard library is enough.

    python test/python/read_reference.py minionerec FOLDER CATEGORY   # the files that sft.sh's patterns find, as rows
    python test/python/read_reference.py grec FOLDER NAME             # leave-one-out rows of NAME.inter.json, items

Both print one JSON object.
"""
import ast
import csv
import glob
import json
import os
import sys


def one(pattern):
    """As `$(ls -f PATTERN)` in the scripts: exactly one file, or the path would hold a space."""
    found = glob.glob(pattern)
    if len(found) != 1:
        sys.exit(f"{pattern}: expected one file, got {found}")
    return found[0]


def minionerec(folder, category):
    answer = {}
    for split in ["train", "valid", "test"]:
        with open(one(os.path.join(folder, split, f"{category}*11.csv")), newline="", encoding="utf-8") as file:
            answer[split] = [
                dict(
                    user=row["user_id"],
                    history=ast.literal_eval(row["history_item_id"]),
                    target=int(row["item_id"]),
                    historyTitles=ast.literal_eval(row["history_item_title"]),
                    title=row["item_title"],
                    historySids=ast.literal_eval(row["history_item_sid"]),
                    sid=row["item_sid"],
                )
                for row in csv.DictReader(file)
            ]
    with open(one(os.path.join(folder, "info", f"{category}*.txt")), encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    answer["info"] = [dict(sid=line[0], title=line[1], item=int(line[2])) for line in lines]
    return answer


def grec(folder, name, longest=20):
    def load(suffix):
        with open(os.path.join(folder, f"{name}.{suffix}"), encoding="utf-8") as file:
            return json.load(file)

    with open(os.path.join(folder, f"{name}.user2id"), encoding="utf-8") as file:
        names = {number: user for user, number in (line.rstrip("\n").split("\t") for line in file)}
    rows = {"train": [], "valid": [], "test": []}
    for uid, items in load("inter.json").items():
        def row(split, at):
            history = items[:at][-longest:]
            rows[split].append(dict(user=names[uid], history=history, target=items[at]))

        for at in range(1, len(items) - 2):
            row("train", at)
        if len(items) > 2:
            row("valid", len(items) - 2)
        row("test", len(items) - 1)
    items = load("item.json")
    index = load("index.json")
    for key in items:
        assert int(key) in range(len(items)) and "".join(index[key])
    return dict(rows, items=items)


if __name__ == "__main__":
    kind, folder, name = sys.argv[1:]
    print(json.dumps({"minionerec": minionerec, "grec": grec}[kind](folder, name)))
