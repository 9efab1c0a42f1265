"""The `filter` benchmark's fast peer: the same in Polars. Usage: filter_polars.py REVIEWS META OUT"""

import json
import os
import sys
import time
from datetime import datetime, timezone

import polars as pl

FIRST = int(datetime(1996, 10, 1, tzinfo=timezone.utc).timestamp())
LAST = int(datetime(2018, 11, 1, tzinfo=timezone.utc).timestamp())


def main(reviews_file, meta_file, out):
    start, used = time.perf_counter(), time.process_time()
    title = pl.col("title").str.strip_chars()
    good = (
        pl.read_ndjson(meta_file, schema={"asin": pl.String, "title": pl.String})
        .with_row_index("place")
        .filter(
            (title != "") & ~title.str.contains(r"(?i)</?[a-z!][^>]*(>|$)") & (title.str.count_matches(r"\S+") <= 20)
        )
        .select("asin", "place")
    )
    fields = {"reviewerID": pl.String, "asin": pl.String, "unixReviewTime": pl.Int64}
    reviews = (
        pl.scan_ndjson(reviews_file, schema=fields)
        .filter(pl.col("unixReviewTime").is_between(FIRST, LAST, closed="left"))
        .collect()
        .join(good, on="asin", how="inner", maintain_order="left")
        .with_columns(
            user=pl.col("reviewerID").rank("dense"),
            item=pl.col("place"),
            time=pl.col("unixReviewTime"),
        )
        .select("reviewerID", "user", "item", "time")
        .unique(["user", "item", "time"], keep="first", maintain_order=True)
    )
    while True:
        left = reviews.filter((pl.len().over("user") >= 5) & (pl.len().over("item") >= 5))
        if left.height == reviews.height:
            break
        reviews = left
    ordered = reviews.sort("time", maintain_order=True).with_columns(item=pl.col("item").rank("dense") - 1)
    history = [pl.col("item").shift(back).over("user").cast(pl.String) for back in range(10, 0, -1)]
    rows = (
        ordered.with_columns(past=pl.concat_str(history, separator=" ", ignore_nulls=True))
        .filter(pl.col("past") != "")
        .select(
            pl.col("reviewerID").alias("user_id:token"),
            pl.col("past").alias("item_id_list:token_seq"),
            pl.col("item").alias("item_id:token"),
        )
    )
    n = rows.height
    first, second = 8 * n // 10, 9 * n // 10
    for split, a, b in (("train", 0, first), ("valid", first, second), ("test", second, n)):
        rows.slice(a, b - a).write_csv(os.path.join(out, f"Shop.{split}.inter"), separator="\t", quote_style="never")
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    print(json.dumps({"seconds": seconds, "processor": processor, "rows": n}))


main(*sys.argv[1:])
