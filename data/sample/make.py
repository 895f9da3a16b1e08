"""Makes acoustic.safetensors.gz and testdata/recorded.json.

    pip install numpy==2.4.6 h5py==3.16.0
    python make.py FOLDER

FOLDER holds {train,valid,test}/*.hdf5 of the set acoustic_scattering_inclusions
(README.md says where it came from). Needed only to make the files again.
"""

import glob
import gzip
import json
import os
import struct
import sys
import zlib

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS_PER_RMS = 1024  # quantisation steps in one root mean square, before rounding to a power of two
HISTORY = 6  # frames a forecast may see


def read(folder):
    """Yields (split, source, constants [2,H,W], frames [T,3,H,W], file handle)."""
    for split in ("train", "valid", "test"):
        for path in sorted(glob.glob(os.path.join(folder, split, "*.hdf5"))):
            with h5py.File(path, "r") as f:
                p, v = f["t0_fields/pressure"][...], f["t1_fields/velocity"][...]
                rho, c = f["t0_fields/density"][...], f["t0_fields/speed_of_sound"][...]
                for s in range(len(p)):
                    frames = np.stack([p[s], v[s, ..., 0], v[s, ..., 1]], 1)
                    source = f"{split}/{os.path.basename(path)} trajectory {s}"
                    yield split, source, np.stack([rho[s], c[s]]), frames, f


def quantise(frames):
    """Returns int16 counts and one power of two per channel."""
    rms = np.sqrt((frames.astype("f8") ** 2).mean((0, 2, 3)))
    scale = np.exp2(np.round(np.log2(rms / STEPS_PER_RMS)))
    counts = np.round(frames / scale[None, :, None, None])
    assert np.abs(counts).max() <= 32767
    return counts.astype("<i2"), scale.astype("<f4")


def vrmse(x, y):
    x, y = x.astype("f8"), y.astype("f8")
    return float(np.sqrt(((x - y) ** 2).mean() / (y.var(ddof=1) + 1e-7)))


def baselines(a):
    """VRMSE, mean over the channels, of persistence and linear extrapolation:
    rows are the first history frame 0..5, columns one step and the mean of ten,
    persistence then linear."""
    out = []
    for t0 in range(6):
        last, prev = a[t0 + HISTORY - 1], a[t0 + HISTORY - 2]
        score = np.zeros((10, 2))
        for k in range(1, 11):
            truth = a[t0 + HISTORY - 1 + k]
            linear = last + np.float32(k) * (last - prev)
            score[k - 1] = [np.mean([vrmse(g[c], truth[c]) for c in range(3)]) for g in (last, linear)]
        out.append([float(x) for x in (*score[0], *score.mean(0))])
    return out


def record(name, source, frames, counts, scale, constants):
    back = counts.astype("f4") * scale[None, :, None, None]
    err = np.sqrt(((back - frames).astype("f8") ** 2).mean((0, 2, 3)))
    rms = np.sqrt((frames.astype("f8") ** 2).mean((0, 2, 3)))
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    points = []
    for _ in range(12):
        t, c, i, j = (int(rng.integers(n)) for n in frames.shape)
        points.append({"at": [t, c, i, j], "value": float(frames[t, c, i, j]), "step": float(scale[c])})
    return {
        "name": name, "source": source, "error_over_rms": [float(x) for x in err / rms],
        "crc32_decoded": zlib.crc32(back.astype("<f4").tobytes()),
        "crc32_constants": zlib.crc32(constants.astype("<f4").tobytes()),
        "points": points, "baselines": baselines(back),
    }


def safetensors(tensors, metadata):
    """The format is a length, a JSON header and the bytes; written by hand so
    that this script needs nothing but numpy and h5py."""
    header, at = {"__metadata__": metadata}, 0
    kinds = {"uint8": "U8", "float32": "F32"}
    for name, a in tensors.items():
        header[name] = {"dtype": kinds[a.dtype.name], "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(a.tobytes() for a in tensors.values())


def boundaries(f):
    """Low and high code per axis; WALL 0, OPEN 1, PERIODIC 2."""
    codes = [[1, 1], [1, 1]]
    for g in f["boundary_conditions"].values():
        code = {"WALL": 0, "OPEN": 1, "PERIODIC": 2}[g.attrs["bc_type"]]
        for dim in g.attrs["associated_dims"]:
            axis = "xy".index(dim)
            for side, end in ((0, 0), (1, -1)):
                if g["mask"][end]:
                    codes[axis][side] = code
    return codes


def main(folder):
    tensors, metadata, recorded, number = {}, {}, [], {}
    for split, source, constants, frames, f in read(folder):
        name = f"{split}.{number.setdefault(split, 0)}"
        number[split] += 1
        counts, scale = quantise(frames)
        planes = counts.view("u1").reshape(*counts.shape, 2)
        tensors[name + ".low"] = np.ascontiguousarray(planes[..., 0])
        tensors[name + ".high"] = np.ascontiguousarray(planes[..., 1])
        tensors[name + ".scale"] = scale
        tensors[name + ".constants"] = constants.astype("<f4")
        grid = {k: f["dimensions/" + k][...].astype("<f4") for k in ("time", "x", "y")}
        for k, v in grid.items():
            assert k not in tensors or np.array_equal(tensors[k], v)
            tensors[k] = v
        codes = json.dumps(boundaries(f))
        assert metadata.setdefault("boundaries", codes) == codes
        metadata[name + ".source"] = source
        recorded.append(record(name, source, frames, counts, scale, constants))
    blob = safetensors(tensors, metadata)
    with open(os.path.join(HERE, "acoustic.safetensors.gz"), "wb") as out:
        with gzip.GzipFile("", "wb", 9, out, mtime=0) as z:
            z.write(blob)
    with open(os.path.join(HERE, "testdata", "recorded.json"), "w") as out:
        json.dump(recorded, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
