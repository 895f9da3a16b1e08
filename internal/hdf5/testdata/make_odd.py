"""Makes files with what h5py's own interface does not write, or we do not read.

    python3 make_odd.py && python3 record.py . odd.json odd_*.h5

What odd_*.h5 hold is compared with h5py. What types.h5, links.h5, sparse.h5 and
shared.h5 hold is written out in odd_test.go.
"""
import ctypes
import glob
import os

import h5py
import numpy as np
from h5py import h5d, h5f, h5p, h5s, h5t

LIB = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*"))[0])
OLD = (h5f.LIBVER_EARLIEST, h5f.LIBVER_LATEST)
NEW = (h5f.LIBVER_LATEST, h5f.LIBVER_LATEST)


def call(name, plist, *args):
    assert getattr(LIB, name)(ctypes.c_int64(plist.id), *args) >= 0, name


def create(name, versions, fcpl):
    fapl = h5p.create(h5p.FILE_ACCESS)
    fapl.set_libver_bounds(*versions)
    return h5py.File(h5f.create(name.encode(), h5f.ACC_TRUNC, fcpl, fapl))


def fcpl(*sizes):
    p = h5p.create(h5p.FILE_CREATE)
    p.set_link_creation_order(0)
    if sizes:
        p.set_sizes(*sizes)
    return p


def field(*shape):
    return np.arange(np.prod(shape), dtype="f4").reshape(shape) / 4


def content(f, growing=True, members=20):
    """One of every structure that holds addresses or lengths."""
    f.attrs["text"] = "abc"
    f.attrs["texts"] = ["x", "yy"]
    f.create_dataset("contiguous", data=field(5, 7))
    f.create_dataset("single", data=field(4, 3), chunks=(4, 3), compression="gzip")
    f.create_dataset("fixed", data=field(9, 7), chunks=(2, 3), compression="gzip", shuffle=True)
    if growing:
        f.create_dataset("extensible", data=field(40), chunks=(1,), maxshape=(None,), compression="gzip")
        f.create_dataset("tree", data=field(7, 9), chunks=(2, 2), maxshape=(None, None), compression="gzip")
        f.create_dataset("tree_plain", data=field(7, 9), chunks=(2, 2), maxshape=(None, 20))
    f["soft"] = h5py.SoftLink("/many")
    many = f.create_group("many")
    for i in range(members):
        many.attrs[f"a{i:02d}"] = i
        many.create_group(f"g{i:02d}")


def sizes():
    for offset, length, name, versions in [(4, 4, "old", OLD), (4, 8, "new", NEW), (8, 4, "new", NEW), (2, 2, "new", NEW)]:
        with create(f"odd_sizes_{offset}{length}_{name}.h5", versions, fcpl(offset, length)) as f:
            # The library does not find the unlimited axis in short lengths, nor its own
            # heap objects in lengths of 2 bytes.
            content(f, growing=length == 8 or name == "old", members=6 if length == 2 else 20)


def trees():
    p = fcpl()
    call("H5Pset_istore_k", p, 2)
    call("H5Pset_sym_k", p, 2, 2)
    with create("odd_superblock1.h5", OLD, p) as f:
        content(f)


def edges():
    with create("odd_edges.h5", NEW, fcpl()) as f:
        for name, maxshape in [("fixed", None), ("extensible", (None, 7)), ("tree", (None, None))]:
            p = h5p.create(h5p.DATASET_CREATE)
            p.set_obj_track_times(False)
            p.set_chunk((4, 3))
            p.set_deflate(4)
            call("H5Pset_chunk_opts", p, ctypes.c_uint(2))  # chunks cut by the edge are not filtered
            limits = maxshape and tuple(h5s.UNLIMITED if n is None else n for n in maxshape)
            d = h5d.create(f.id, name.encode(), h5t.IEEE_F32LE, h5s.create_simple((9, 7), limits), p)
            d.write(h5s.ALL, h5s.ALL, field(9, 7))


def dataset(f, name, kind, shape, plist=None):
    p = plist or h5p.create(h5p.DATASET_CREATE)
    p.set_obj_track_times(False)
    return h5d.create(f.id, name.encode(), kind, h5s.create_simple(shape), p)


def types():
    with create("types.h5", NEW, fcpl()) as f:
        bfloat = h5t.IEEE_F32LE.copy()
        bfloat.set_fields(15, 7, 8, 0, 7)
        bfloat.set_size(2)
        bfloat.set_ebias(127)
        dataset(f, "bfloat16", bfloat, (2,))
        odd = h5t.STD_I16LE.copy()
        odd.set_precision(12)
        dataset(f, "int12", odd, (2,))
        f.create_dataset("array", shape=(2,), dtype=np.dtype(("f4", (3,))))
        f.create_dataset("sequence", shape=(2,), dtype=h5py.vlen_dtype("f4"))
        f.create_dataset("opaque", shape=(2,), dtype="V5")
        f.create_dataset("reference", shape=(2,), dtype=h5py.ref_dtype)
        f.create_dataset("compound", shape=(2,), dtype=[("a", "i4"), ("b", "f8")])
        dataset(f, "bits", h5t.STD_B16LE, (2,))
        dataset(f, "time", h5t.UNIX_D32LE, (2,))
        complex_type = getattr(h5t, "COMPLEX_IEEE_F32LE", None)
        if complex_type is not None:
            dataset(f, "complex", complex_type, (2,))
        f.create_dataset("text", data=["a", "b"])
        f.create_dataset("fixed_text", data=np.array([b"a", b"bcd"]))
        f.create_dataset("int64", data=np.array([2**53 + 1, -(2**62) - 2**38 - 1, 16777217]))
        f.create_dataset("uint64", data=np.array([2**64 - 1, 2**63 + 2**39 + 1], "u8"))
        p = h5p.create(h5p.DATASET_CREATE)
        p.set_chunk((2,))
        p.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
        d = dataset(f, "zstd", h5t.IEEE_F32LE, (4,), p)
        d.write_direct_chunk((0,), np.array([1, 2], "<f4").tobytes(), filter_mask=1)
        d.write_direct_chunk((2,), b"no zstd", filter_mask=0)
        for name, pad in [("terminated", h5t.STR_NULLTERM), ("zeros", h5t.STR_NULLPAD), ("spaces", h5t.STR_SPACEPAD)]:
            kind = h5t.C_S1.copy()
            kind.set_size(6)
            kind.set_strpad(pad)
            a = h5py.h5a.create(f.id, name.encode(), kind, h5s.create_simple((2,)))
            a.write(np.array([b"ab    ", b"c d e "] if name == "spaces" else [b"ab ", b"c d e "]), kind)


def links():
    with create("links.h5", NEW, fcpl()) as f:
        a = f.create_group("a")
        a["value"] = 7.0
        a["relative"] = h5py.SoftLink("value")
        a["root"] = h5py.SoftLink("/")
        a["dots"] = h5py.SoftLink("./deep//./value")
        a.create_group("deep")["value"] = 8.0
        a["x" * 5000] = 9.0
        for i in range(9):
            a[f"m{i}"] = h5py.SoftLink("value")
        f["chain"] = h5py.SoftLink("a/root/a/relative")
        f["dangling"] = h5py.SoftLink("a/nothing")
        f["self"] = h5py.SoftLink("self")
        f["other"] = h5py.ExternalLink("other.h5", "/x")
        f["ring"] = f["/"]
        f["/bomb29"] = h5py.SoftLink("/")
        for i in range(29):
            f[f"/bomb{i:02d}"] = h5py.SoftLink(f"/bomb{i + 1:02d}/bomb{i + 1:02d}")


def sparse():
    with h5py.File("sparse.h5", "w", libver="latest") as f:
        for name, limits in [("fixed", None), ("extensible", (None,)), ("tree", (None, None))]:
            shape = (2_000_000, 5)[: 1 if limits is None else len(limits)]
            if name == "fixed":
                shape = (4000,)
            d = f.create_dataset(name, shape=shape, dtype="f4", chunks=(1,) * len(shape), maxshape=limits, fillvalue=-1)
            last = (shape[0] - 2,) + (3,) * (len(shape) - 1)
            d[(0,) * len(shape)] = 4
            d[last] = 5
    with h5py.File("sparse.h5", "a", libver="earliest") as f:
        d = f.create_dataset("old", shape=(2_000_000,), dtype="f4", chunks=(2,), fillvalue=-1)
        d[0] = 4
        d[1_999_998] = 5


def shared():
    p = fcpl()
    call("H5Pset_shared_mesg_nindexes", p, 1)
    call("H5Pset_shared_mesg_index", p, 0, ctypes.c_uint(0x1F), ctypes.c_uint(8))
    with create("shared.h5", OLD, p) as f:
        for i in range(3):
            f.create_dataset(f"d{i}", data=np.arange(6.0).reshape(2, 3)).attrs["a"] = [1, 2, 3]


for part in [sizes, trees, edges, types, links, sparse, shared]:
    part()
