"""Makes the files of this folder with numpy, h5py, netCDF4, scipy and zarr, and writes
values.json: for every array its shape, its type and the SHA-256 of the values as float32,
little-endian, row-major, read back by the package that made it (NetCDF by xarray).

    python3 -m venv v && v/bin/pip install numpy h5py netCDF4 scipy xarray zarr
    cd testdata/data/arrays && v/bin/python record.py
"""
import hashlib
import json
import os
import shutil
import warnings

import h5py
import netCDF4
import numcodecs
import numpy as np
import scipy.io
import xarray as xr
import zarr

warnings.filterwarnings("ignore")
os.chdir(os.path.dirname(os.path.abspath(__file__)))
values = {}


def note(file, array, a):
    a = np.asarray(a)
    raw = np.ascontiguousarray(a.astype("<f4")).tobytes()
    values.setdefault(file, {})[array] = {"shape": list(a.shape), "type": str(a.dtype), "sha256": hashlib.sha256(raw).hexdigest()}


def keep(name):
    """Removes an old result and makes the folder of a new one."""
    if os.path.isdir(name):
        shutil.rmtree(name)
    elif os.path.exists(name):
        os.remove(name)
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    return name


N, T, X, Y = 2, 5, 6, 4
rng = np.random.default_rng(7)
t = np.arange(T) * 0.25
x = np.linspace(0, 1, X)
y = np.linspace(-1, 1, Y)
rho = 1 + rng.random((N, T, X, Y))
ux = rng.standard_normal((N, T, X, Y))
uy = rng.standard_normal((N, T, X, Y))
mask = np.zeros((X, Y), bool)
mask[2:4, 1] = True
nu = np.array([0.01, 0.02])


def yx(a):
    return np.ascontiguousarray(np.swapaxes(a, -1, -2))


def named(file, arrays):
    for k, a in arrays.items():
        note(file, k, a)


# NumPy
numpy_arrays = dict(rho=yx(rho).astype("f4"), vel=np.stack([yx(uy), yx(ux)], -1), solid=mask.T, x=x, y=y, t=t, nu=nu,
                    n=np.int64(3), name=np.array("text"))
np.savez(keep("plain.npz"), **numpy_arrays)
np.savez_compressed(keep("packed.npz"), **numpy_arrays)
for file in ("plain.npz", "packed.npz"):
    named(file, {k: a for k, a in np.load(file).items() if k != "name"})
for name, a in dict(
        fortran=np.asfortranarray(rho[0]), big=rho[0].astype(">f4"), half=rho[0].astype("f2"), small=(rho[0] * 50).astype("i1"),
        bigint=(rho[0] * 1e6).astype(">i4"), long=(rho[0] * 1e15).astype("u8"), flags=mask, fortran_big=np.asfortranarray(rho.astype(">f8")),
        scalar=np.float64(2.5), empty=np.zeros((0, 3))).items():
    np.save(keep("npy/" + name + ".npy"), a)
    note("npy/" + name + ".npy", "array", np.load("npy/" + name + ".npy"))
keep("steps")
for i in range(T):  # 8, 9, 10: not in the order of the alphabet
    for name, a in (("rho", rho[0]), ("ux", ux[0]), ("uy", uy[0])):
        np.save(keep(f"steps/{name}_{i + 8}.npy"), a[i])
keep("runs")
for n in range(N):
    np.savez(keep(f"runs/nu{nu[n]:g}_run{n + 1}.npz"), rho=yx(rho[n]), u=np.stack([ux[n], uy[n]], 1), t=t)

# raw binary: a header of 16 bytes, then [time, y, x] big-endian
with open(keep("raw/rho.bin"), "wb") as f:
    f.write(b"HEADER of 16 b. ")
    f.write(yx(rho[0]).astype(">f4").tobytes())
note("raw/rho.bin", "array", np.fromfile("raw/rho.bin", ">f4", offset=16).reshape(T, Y, X))
yx(rho[0]).astype("<f8").tofile(keep("raw/all.f64"))

# NetCDF, classic and 64-bit formats, one by scipy, and NetCDF-4
dataset = xr.Dataset(
    {"rho": (("run", "time", "lat", "lon"), yx(rho), {"units": "kg m-3"}), "u": (("run", "time", "lat", "lon"), yx(ux).astype("f4")),
     "v": (("run", "time", "lat", "lon"), yx(uy).astype("f4")), "solid": (("lat", "lon"), mask.T.astype("i1"))},
    coords={"lon": x, "lat": y, "time": t}, attrs={"nu": 0.01, "title": "fixture"})
for file, form in (("classic.nc", "NETCDF3_CLASSIC"), ("offset64.nc", "NETCDF3_64BIT"), ("data64.nc", "NETCDF3_64BIT_DATA"), ("four.nc", "NETCDF4")):
    dataset.to_netcdf(keep(file), format=form, engine="netcdf4")
records = xr.Dataset({"a": (("time", "x"), rng.random((T, 3)).astype("f4")), "b": (("time",), np.arange(T, dtype="i2")),
                      "c": (("time", "x"), rng.integers(0, 99, (T, 3)).astype("i1"))})
records.to_netcdf(keep("records.nc"), format="NETCDF3_CLASSIC", engine="netcdf4", unlimited_dims=["time"])
xr.Dataset({"b": (("time", "x"), np.arange(3 * T, dtype="i2").reshape(T, 3))}).to_netcdf(
    keep("one_record.nc"), format="NETCDF3_CLASSIC", engine="netcdf4", unlimited_dims=["time"])
f = scipy.io.netcdf_file(keep("scipy.nc"), "w", version=2)
f.createDimension("time", None)
f.createDimension("x", X)
f.createVariable("p", "f8", ("time", "x"))[:] = rho[0, :, :, 0]
f.createVariable("x", "f4", ("x",))[:] = x
f.close()
for file, form in (("scaled.nc", "NETCDF3_CLASSIC"), ("scaled4.nc", "NETCDF4")):
    f = netCDF4.Dataset(keep(file), "w", format=form)
    f.set_auto_maskandscale(False)
    for name, n in (("time", T), ("y", Y), ("x", X)):
        f.createDimension(name, n)
    v = f.createVariable("temp", "i2", ("time", "y", "x"), fill_value=np.int16(-999), **({"zlib": True} if form == "NETCDF4" else {}))
    v.scale_factor, v.add_offset = 0.25, 273.5  # exact in float32
    v[:] = rng.integers(-100, 100, (T, Y, X))
    f.close()
for file in ("classic.nc", "offset64.nc", "data64.nc", "four.nc", "records.nc", "one_record.nc", "scipy.nc", "scaled.nc", "scaled4.nc"):
    with xr.open_dataset(file, engine="netcdf4", decode_times=False) as d:
        named(file, {k: d[k].values for k in d.variables})

# HDF5
with h5py.File(keep("plain.h5"), "w") as f:
    f.attrs["viscosity"] = 0.125
    g = f.create_group("out")
    g.create_dataset("density", data=yx(rho).astype(">f4"), chunks=(1, 2, Y, X), compression="gzip", shuffle=True)
    g.create_dataset("velocity", data=np.moveaxis(np.stack([uy, ux]), 0, 2).astype("f8"))  # [n, t, (y, x), x, y]
    g.create_dataset("solid", data=mask)
    f["time"] = t
with h5py.File("plain.h5") as f:
    named("plain.h5", {k: f[k][...] for k in ("out/density", "out/velocity", "out/solid", "time")})
keep("split")
for part, n in (("train", 0), ("val", 1)):
    with h5py.File(keep(f"split/{part}/sim.h5"), "w") as f:
        f["rho"], f["t"] = rho[n], t

# Zarr
def zarr_arrays(group, version):
    def add(name, a, **options):
        z = group.create_array(name, shape=a.shape, dtype=a.dtype, **options)
        z[...] = a
    c = dict(chunks=(1, 2, X, 3))
    if version == 2:
        add("blosc", rho, compressors=numcodecs.Blosc(), **c)
        for lib in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
            for shuffle in (0, 1, 2):
                add(f"blosc_{lib}_{shuffle}", rho.astype("f4"), compressors=numcodecs.Blosc(lib, 5, shuffle), chunks=(N, T, X, Y))
        add("smooth", np.round(np.sin(np.arange(40000.) / 7), 1).reshape(100, 400), compressors=numcodecs.Blosc("blosclz", 9, 1), chunks=(100, 400))
        add("smooth_lz4", np.round(np.sin(np.arange(40000.) / 7), 1).reshape(100, 400), compressors=numcodecs.Blosc("lz4", 9, 2), chunks=(100, 400))
        for codec in (numcodecs.GZip(), numcodecs.Zlib(), numcodecs.BZ2(), numcodecs.LZ4(), numcodecs.Zstd()):
            add(codec.codec_id, rho.astype(">f4"), compressors=codec, **c)
        add("plain", rho, compressors=None, order="F", **c)
        add("shuffled", rho.astype("f4"), compressors=numcodecs.GZip(), filters=[numcodecs.Shuffle(4)], **c)
        add("ints", (rho * 100).astype("i2"), compressors=None, **c)
        z = group.create_array("holes", shape=(4, 4), chunks=(2, 2), dtype="f4", fill_value=np.nan, compressors=None)
        z[:2, :2] = 1
    else:
        add("zstd", rho, **c)
        add("gzip", rho.astype("f4"), compressors=zarr.codecs.GzipCodec(), **c)
        add("blosc", rho, compressors=zarr.codecs.BloscCodec(cname="lz4", shuffle="bitshuffle"), **c)
        add("big", rho, serializer=zarr.codecs.BytesCodec(endian="big"), compressors=[zarr.codecs.ZstdCodec(), zarr.codecs.Crc32cCodec()], **c)
        add("transposed", rho, filters=[zarr.codecs.TransposeCodec(order=(3, 1, 0, 2))], compressors=None, **c)
        add("sharded", rho.astype("f4"), chunks=(1, 1, X, Y), shards=(2, 2, X, Y))
        add("scalar", np.array(2.5))
        z = group.create_array("holes", shape=(5, 5), chunks=(1, 1), shards=(2, 2), dtype="f4", fill_value=7)
        z[:1, :1] = 1
        z[4, 4] = 2
    g = group.create_group("inner")
    z = g.create_array("flags", shape=mask.shape, dtype="bool", chunks=mask.shape)
    z[...] = mask


for file, version in (("two.zarr", 2), ("three.zarr", 3)):
    root = zarr.open_group(keep(file), mode="w", zarr_format=version)
    zarr_arrays(root, version)
    read = zarr.open_group(file, mode="r")
    named(file, {k: a[...] for k, a in list(read.arrays()) + [("inner/flags", read["inner/flags"])]})
for file, version in (("xarray2.zarr", 2), ("xarray3.zarr", 3)):
    dataset.to_zarr(keep(file), zarr_format=version, consolidated=False)
    with xr.open_zarr(file, consolidated=False) as d:
        named(file, {k: d[k].values for k in d.variables})
json.dump(values, open("values.json", "w"), indent=1)
