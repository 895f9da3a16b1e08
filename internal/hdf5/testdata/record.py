"""Records what h5py reads, for the tests of package hdf5.

    python3 record.py ROOT OUT.json FILE...

writes for each FILE (a path below ROOT) all attributes, and of each dataset of
numbers the shape and the CRC-32 of its values as little-endian float64.
"""
import json
import sys
import zlib

import h5py
import numpy as np


def plain(v):
    if isinstance(v, h5py.Empty):
        return []
    if isinstance(v, bytes):
        return v.decode()
    if isinstance(v, np.ndarray) and v.ndim <= 1:
        return [plain(x) for x in v] if v.ndim else plain(v[()])
    if isinstance(v, (np.bool_, bool)):
        return bool(v)
    if isinstance(v, np.integer):
        return int(v)
    if isinstance(v, np.floating):
        return float(v)
    if isinstance(v, str):
        return v
    return "unsupported"


def attributes(o):
    out = {}
    for name in o.attrs:
        try:
            value = plain(o.attrs[name])
        except Exception:
            value = "unsupported"
        if isinstance(value, list) and any(isinstance(v, list) or v == "unsupported" for v in value):
            value = "unsupported"
        out[name] = value
    return out


def record(path):
    with h5py.File(path, "r") as f:
        out = {}

        def visit(path, o):
            entry = out[path] = {"attributes": attributes(o)}
            if isinstance(o, h5py.Group):
                entry["group"] = True
                for name in o:
                    visit(path.rstrip("/") + "/" + name, o[name])
            elif isinstance(o, h5py.Datatype):
                entry["type"] = True
            else:
                entry["shape"] = list(o.shape) if o.shape is not None else None
                if o.scaleoffset is not None:
                    entry["damaged"] = True  # a filter that the Go reader lacks
                elif o.dtype.kind in "fiub" and o.shape is not None:
                    try:
                        with np.errstate(invalid="ignore"):
                            values = np.ascontiguousarray(o[()], dtype="<f8")
                        entry["crc32"] = zlib.crc32(values.tobytes())
                    except OSError:
                        entry["damaged"] = True

        visit("/", f)
        return out


if __name__ == "__main__":
    root, target, *files = sys.argv[1:]
    result = {name: record(root + "/" + name) for name in files}
    with open(target, "w") as f:
        json.dump(result, f, separators=(",", ":"), sort_keys=True)
        f.write("\n")
