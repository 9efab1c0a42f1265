"""Golden bytes of TensorBoard's own writer for test/support/tensorboard.test.ts.

    pip install tensorboard && python test/golden/make_tensorboard.py   (writes tensorboard.json beside itself)

`bytes` is the file that TensorBoard's RecordWriter makes of `events`, in base64.
"""
import base64
import io
import json
import pathlib

import tensorboard
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

START = 1_700_000_000
EVENTS = [
    (0, 0.0, {"valid/NDCG@10": 0.0}),
    (1, 0.25, {"train/loss": 3.5, "train/rate": 1e-3}),
    (300, 61.5, {"train/loss": -2.0}),
    (70_000, 1e5, {"train/häufig": 1.25, "train/norm": 12345.0}),
]


class Sink(io.BytesIO):
    def close(self):
        pass


sink = Sink()
writer = RecordWriter(sink)
writer.write(Event(wall_time=START, file_version="brain.Event:2").SerializeToString())
for step, seconds, scalars in EVENTS:
    values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
    writer.write(Event(wall_time=START + seconds, step=step, summary=Summary(value=values)).SerializeToString())
out = dict(
    madeBy=f"tensorboard {tensorboard.__version__}", start=START,
    events=[dict(step=step, seconds=seconds, scalars=scalars) for step, seconds, scalars in EVENTS],
    bytes=base64.b64encode(sink.getvalue()).decode(),
)
(pathlib.Path(__file__).parent / "tensorboard.json").write_text(json.dumps(out) + "\n")
