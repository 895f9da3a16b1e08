"""Writes events.hex with TensorBoard's own record writer (package tensorboard)."""
import io

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

values = [Summary.Value(tag=tag, simple_value=v) for tag, v in (("train/loss", 12.25), ("learning rate", 2e-4))]
out = io.BytesIO()
RecordWriter(out).write(Event(wall_time=1.5, step=7, summary=Summary(value=values)).SerializeToString())
open("events.hex", "w").write(out.getvalue().hex() + "\n")
