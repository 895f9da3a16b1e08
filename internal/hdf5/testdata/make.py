"""Makes the small files that the tests of package hdf5 read, with h5py.

    python3 make.py && python3 record.py . layouts.json layouts_*.h5

Each file holds every storage layout, chunk index, filter, type and kind of
attribute that the package reads, as written for one range of library versions.
"""
import h5py
import numpy as np

rng = np.random.default_rng(7)


def field(*shape):
    return np.round(rng.standard_normal(shape), 2).astype("f4")


def layouts(g):
    g.create_dataset("scalar", data=np.float32(2.5))
    g.create_dataset("contiguous", data=field(5, 7))
    g.create_dataset("empty", shape=(0, 3), dtype="f4")
    g.create_dataset("null", data=h5py.Empty("f4"))
    g.create_dataset("never_written", shape=(4, 3), dtype="f4", fillvalue=1.5)
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((3, 2))
    d = h5py.h5d.create(g.id, b"compact", h5py.h5t.IEEE_F32LE, space, plist)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, field(3, 2))


def chunks(g):
    g.create_dataset("single", data=field(6, 5), chunks=(6, 5))
    g.create_dataset("single_gzip", data=field(6, 5), chunks=(6, 5), compression="gzip")
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((2, 2))
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    space = h5py.h5s.create_simple((5, 4))
    d = h5py.h5d.create(g.id, b"implicit", h5py.h5t.IEEE_F32LE, space, plist)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, field(5, 4))
    g.create_dataset("fixed", data=field(9, 7), chunks=(2, 3))
    g.create_dataset("fixed_gzip", data=field(9, 7), chunks=(2, 3), compression="gzip", shuffle=True)
    g.create_dataset("fixed_limit", data=field(9, 7), chunks=(2, 3), maxshape=(20, 11))
    g.create_dataset("extensible", data=field(300, 4), chunks=(1, 3), maxshape=(None, 4))
    g.create_dataset("extensible_gzip", data=field(90, 4), chunks=(1, 3), maxshape=(None, 4), compression="gzip")
    g.create_dataset("extensible_second", data=field(3, 40, 5), chunks=(2, 3, 2), maxshape=(6, None, 9))
    g.create_dataset("extensible_last", data=field(3, 4, 50), chunks=(2, 3, 2), maxshape=(3, 4, None))
    g.create_dataset("tree", data=field(7, 9), chunks=(2, 2), maxshape=(None, None))
    g.create_dataset("tree_gzip", data=field(9, 8), chunks=(2, 2), maxshape=(None, None), compression="gzip", fletcher32=True)
    g.create_dataset("extensible_fill", shape=(9, 9), dtype="f4", chunks=(4, 4), maxshape=(None, 9), fillvalue=-1)[2:6, 3:7] = field(4, 4)
    g.create_dataset("shrunk", data=field(9, 9), chunks=(2, 2), maxshape=(9, 9)).resize((3, 8))


def many_chunks(g):
    g.create_dataset("fixed_paged", data=field(2100), chunks=(1,))
    d = g.create_dataset("fixed_paged_holes", shape=(5000,), dtype="f4", chunks=(1,), fillvalue=-3)
    d[3] = 7
    d[4321] = 8
    g.create_dataset("extensible_long", data=field(5000), chunks=(1,), maxshape=(None,))
    d = g.create_dataset("extensible_holes", shape=(20000,), dtype="f4", chunks=(1,), maxshape=(None,), fillvalue=2)
    d[0], d[777], d[19990] = 1, 5, 6
    g.create_dataset("tree_deep", data=field(40, 50), chunks=(1, 1), maxshape=(None, None))


def filters(g):
    a = field(12, 10)
    g.create_dataset("gzip", data=a, chunks=(5, 4), compression="gzip", compression_opts=9)
    g.create_dataset("shuffle", data=a, chunks=(5, 4), shuffle=True)
    g.create_dataset("fletcher", data=a, chunks=(5, 3), fletcher32=True)
    g.create_dataset("fletcher_bytes", data=np.arange(15, dtype="u1"), chunks=(5,), fletcher32=True)
    g.create_dataset("all", data=a, chunks=(5, 4), compression="gzip", shuffle=True, fletcher32=True)
    g.create_dataset("lzf", data=np.repeat(a, 9, 1), chunks=(5, 60), compression="lzf", shuffle=True)
    g.create_dataset("lzf_incompressible", data=rng.integers(0, 256, 400).astype("u1"), chunks=(100,), compression="lzf")
    g.create_dataset("lzf_zeros", data=np.zeros(9000, "f4"), chunks=(9000,), compression="lzf")
    d = g.create_dataset("mask", shape=(4, 4), dtype="<f4", chunks=(2, 4), compression="gzip", shuffle=True)
    d[:2] = 1.5
    d.id.write_direct_chunk((2, 0), np.arange(8, dtype="<f4").tobytes(), filter_mask=3)
    g.create_dataset("scaleoffset", data=np.arange(20), chunks=(10,), scaleoffset=3)


def types(g):
    for name in ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]:
        values = np.array([0, -0.0, 1.5, -2.25, 6e-8, 65504, np.inf, -np.inf, 1 / 3], "f8")
        g.create_dataset(name, data=values.astype(name))
    for name in ["i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8"]:
        info = np.iinfo(name)
        g.create_dataset(name, data=np.array([0, 1, -1, info.min, info.max, 100], name))
    for name in ["u1", "<u2", ">u2", "<u4", ">u4", "<u8", ">u8"]:
        g.create_dataset(name, data=np.array([0, 1, np.iinfo(name).max, 100], name))
    g.create_dataset("bool", data=np.array([True, False, True]))
    g.create_dataset("enum", data=np.array([5, 7], "i2"), dtype=h5py.enum_dtype({"A": 5, "B": 7, "LONG_NAME": 9}, basetype="i2"))
    g.create_dataset("text", data=["a", "bcd"])
    g.create_dataset("fixed_text", data=np.array([b"a", b"bcd"]))
    g.create_dataset("complex", data=np.array([1 + 2j]))
    g.create_dataset("compound", data=np.array([(1, 2.5)], dtype=[("n", "i4"), ("x", "f4")]))
    g["committed"] = np.dtype("<f4")
    d = g.create_dataset("of_committed", shape=(3,), dtype=g["committed"])
    d[:] = [1, 2, 3]
    d.attrs.create("of_committed", 4.0, dtype=g["committed"])


def attributes(g):
    a = g.attrs
    a["text"] = "Grüße"
    a["empty_text"] = ""
    a["texts"] = ["x", "yy", "", "zzz"]
    a["fixed"] = np.bytes_("abc")
    a["fixed_list"] = np.array([b"ab", b"c"])
    a["empty_list"] = []
    a["null"] = h5py.Empty("f4")
    a["bool"] = True
    a["bools"] = [True, False]
    a["int"] = -3
    a["ints"] = [1, 2, 3]
    a["small"] = np.uint8(200)
    a["float"] = 1.5
    a["float32"] = np.float32(0.1)
    a["floats"] = np.array([1.0, 2.5])
    a["big"] = np.array([1.5, 2.5], ">f8")
    a["matrix"] = np.ones((2, 2))
    a["reference"] = g.ref
    a["compound"] = np.array((1, 2.5), dtype=[("n", "i4"), ("x", "f4")])
    many = g.create_group("many")
    for i in range(30):
        many.attrs[f"attribute_{i:02d}"] = f"value {i}"
    large = g.create_group("large")
    large.attrs.create("long", np.arange(9000, dtype="<f8")) if g.file.libver[0] != "earliest" else None


def groups(g):
    many = g.create_group("many")
    for i in range(120):
        many.create_group(f"member_{i:03d}")
    tracked = g.create_group("tracked", track_order=True)
    for name in ["z", "a", "m"]:
        tracked.create_dataset(name, data=len(name))
        tracked.attrs[name] = name
    g["hard"] = tracked
    g["soft"] = h5py.SoftLink("tracked/z")
    g["absolute"] = h5py.SoftLink(tracked.name)
    deep = g
    for name in "abcdef":
        deep = deep.create_group(name)
    deep["leaf"] = 5


for name, version in [("earliest", "earliest"), ("v108", ("v108", "v108")), ("v110", ("v110", "v110")), ("latest", "latest")]:
    with h5py.File(f"layouts_{name}.h5", "w", libver=version) as f:
        for part in [layouts, chunks, filters, types, attributes, groups]:
            part(f.create_group(part.__name__))
        if name == "latest":
            many_chunks(f.create_group("many_chunks"))
        elif name == "earliest":
            f.create_dataset("tree_deep", data=field(25, 20), chunks=(1, 1))
with h5py.File("layouts_userblock.h5", "w", userblock_size=1024) as f:
    f.attrs["text"] = "after a user block"
    f.create_dataset("gzip", data=field(9, 7), chunks=(2, 3), compression="gzip")
    f.create_dataset("contiguous", data=field(4))
with h5py.File("layouts_paged.h5", "w", fs_strategy="page", fs_page_size=512) as f:
    f.create_dataset("contiguous", data=field(40, 7))
    f.create_dataset("gzip", data=field(9, 7), chunks=(2, 3), compression="gzip")
# Small seeds for the fuzzer: every index once.
for name, version in [("old", "earliest"), ("new", "latest")]:
    with h5py.File(f"fuzz_{name}.h5", "w", libver=version) as f:
        f.attrs["text"] = "abc"
        f.attrs["texts"] = ["a", "b"]
        f.create_dataset("fixed", data=field(3, 2), chunks=(2, 1), compression="gzip", shuffle=True, fletcher32=True)
        f.create_dataset("extensible", data=field(9), chunks=(1,), maxshape=(None,))
        f.create_dataset("tree", data=field(2, 2), chunks=(1, 1), maxshape=(None, None), compression="lzf")
        f.create_dataset("flags", data=np.array([True, False]))
        f["soft"] = h5py.SoftLink("/fixed")
        many = f.create_group("many")
        for i in range(9):
            many.attrs[f"a{i}"] = i
            many.create_group(f"g{i}")
