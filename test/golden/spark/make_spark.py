"""Folders of files as Spark writes them, with its markers and checksums: interactions and items in several formats.

Run with pyspark 4 and Java 17: python make_spark.py (beside it: the folders, and interactions.json with what they hold).
"""

import datetime
import json
import pathlib
import random
import shutil

from pyspark.sql import SparkSession

HERE = pathlib.Path(__file__).parent
spark = SparkSession.builder.master("local[1]").config("spark.sql.session.timeZone", "UTC").getOrCreate()
draw = random.Random(23)
rows = [
    (f"U{draw.randrange(9)}", f"B{draw.randrange(7)}", 1_500_000_000 + 3600 * draw.randrange(400), float(1 + draw.randrange(5)))
    for _ in range(120)
]
items = [(f"B{i}", f"Title {i}", ["Home", f"Kind {i % 2}"]) for i in range(7)]


def write(frame, name, form, **options):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    frame.write.options(**options).format(form).save(str(folder))


columns = ["user_id", "item_id", "seconds", "rating"]
plain = spark.createDataFrame(rows, columns).coalesce(1)
split = plain.repartitionByRange(3, "user_id").sortWithinPartitions("seconds", "item_id")
stamped = split.selectExpr("user_id", "item_id", "timestamp_seconds(seconds) AS timestamp", "rating")
counted = split.selectExpr("user_id", "item_id", "seconds AS timestamp", "rating")
write(stamped, "parquet", "parquet")  # timestamps are INT96, Spark's default
write(counted.union(counted.where("false")), "csv", "csv", header=True, compression="gzip")
amazon = counted.selectExpr("user_id AS reviewerID", "item_id AS asin", "timestamp AS unixReviewTime", "rating AS overall")
write(amazon, "json", "json", compression="gzip")
write(spark.createDataFrame(items, ["item_id", "title", "categories"]).repartition(2), "items", "parquet")
with open(HERE / "interactions.json", "w") as file:
    json.dump(sorted([user, item, time, stars] for user, item, time, stars in rows), file)
