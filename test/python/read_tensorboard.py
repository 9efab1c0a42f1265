"""Prints what TensorBoard's own reader finds in a folder: {tag: [[step, value], ...]} as one line of JSON.

    pip install tensorboard && python test/python/read_tensorboard.py FOLDER
"""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

reader = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0})
reader.Reload()
tags = reader.Tags()
scalars = {tag: [[e.step, e.value] for e in reader.Scalars(tag)] for tag in tags["scalars"]}
for tag in tags["tensors"]:  # where the reader makes tensors of them
    scalars[tag] = [[e.step, e.tensor_proto.float_val[0]] for e in reader.Tensors(tag)]
print(json.dumps(scalars))
