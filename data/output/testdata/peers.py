"""Reads forecasts with the readers of other ecosystems and compares every value.

usage: peers.py FOLDER. The folder holds frames.npy [T, M, C, x, y], written by NumPy's
format, and forecast.{hdf5,nc,zarr,npz,pvd}, ensemble.{…} with M members.
"""
import json
import sys
import xml.etree.ElementTree as tree
from pathlib import Path

import h5py
import numpy as np
import scipy.io
import xarray as xr
import zarr
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOXML import vtkXMLImageDataReader

folder = Path(sys.argv[1])
truth = np.load(folder / "frames.npy")
T, M, C, X, Y = truth.shape
channels = ["density", "velocity_x", "velocity_y", "D_xx", "D_xy", "D_yx", "D_yy"]
assert C == len(channels)
times = np.float32([0.5 + 0.25 * k for k in range(T)])
xs, ys = np.float32([2 + 0.5 * i for i in range(X)]), np.float32([-1 + 0.25 * i for i in range(Y)])
mask = np.arange(X * Y, dtype=np.float32).reshape(X, Y) % 2


def same(got, want, what):
    got = np.asarray(got)
    assert got.shape == want.shape and np.array_equal(got, want), f"{what}: {got.shape} is not {want.shape}, or values differ"


def xarray(ds, ensemble):
    for c, name in enumerate(channels):
        assert ds[name].dims == (("time", "member", "x", "y") if ensemble else ("time", "x", "y")), ds[name].dims
        same(ds[name], truth[:, :, c] if ensemble else truth[:, 0, c], name)
    same(ds["time"], times, "time")
    same(ds["x"], xs, "x")
    same(ds["y"], ys, "y")
    same(ds["mask"], mask, "mask")
    assert ds.attrs["weights"] == "nano" and ds.attrs["boundaries"] == "x periodic, y wall/open", ds.attrs
    assert ds.attrs["Conventions"].startswith("CF-")


def hdf5(path, ensemble):
    with h5py.File(path) as f:
        want = truth if ensemble else truth[:, :1]
        want = want.transpose(1, 0, 3, 4, 2)  # trajectory, time, x, y, component
        assert f.attrs["n_trajectories"] == want.shape[0] and f.attrs["weights"] == "nano"
        same(f["t0_fields/density"], want[..., 0], "density")
        same(f["t1_fields/velocity"], want[..., 1:3], "velocity")
        same(np.asarray(f["t2_fields/D"]), want[..., 3:].reshape(want.shape[:-1] + (2, 2)), "D")
        same(f["t0_fields/mask"][0], mask, "mask")
        same(f["dimensions/time"], times, "time")
        same(f["dimensions/x"], xs, "x")


def npz(path, ensemble):
    f = np.load(path)
    same(f["frames"], truth if ensemble else truth[:, 0], "frames")
    same(f["constants"][0], mask, "constants")
    same(f["times"], times, "times")
    same(f["coordinates_y"], ys, "y")
    assert json.loads(f["window.json"])["provenance"]["weights"] == "nano"


def vti(path, ensemble):
    sets = tree.parse(path).getroot().findall("Collection/DataSet")
    assert len(sets) == T * (M if ensemble else 1)
    for s in sets:
        k, m = int(np.argmin(abs(times - float(s.get("timestep"))))), int(s.get("part"))
        reader = vtkXMLImageDataReader()
        reader.SetFileName(str(path.parent / s.get("file")))
        reader.Update()
        image = reader.GetOutput()
        assert image.GetDimensions() == (X, Y, 1) and image.GetOrigin()[:2] == (2, -1) and image.GetSpacing()[:2] == (0.5, 0.25)
        assert image.GetFieldData().GetArray("TimeValue").GetValue(0) == times[k]
        assert image.GetFieldData().GetAbstractArray("weights").GetValue(0) == "nano"
        points = image.GetPointData()

        def grid(name):  # x is the fastest axis
            a = vtk_to_numpy(points.GetArray(name))
            return a.reshape((Y, X) + a.shape[1:]).swapaxes(0, 1)

        same(grid("density"), truth[k, m, 0], "density")
        same(grid("velocity")[..., 0], truth[k, m, 1], "velocity_x")
        same(grid("velocity")[..., 1], truth[k, m, 2], "velocity_y")
        assert not grid("velocity")[..., 2].any()
        same(grid("D")[..., [0, 1, 3, 4]], truth[k, m, 3:].transpose(1, 2, 0), "D")
        same(grid("mask"), mask, "mask")


for name in ["forecast", "ensemble"]:
    ensemble = name == "ensemble"
    with xr.open_dataset(folder / f"{name}.nc", engine="scipy", decode_times=False) as ds:
        xarray(ds, ensemble)
    with scipy.io.netcdf_file(folder / f"{name}.nc", mmap=False) as f:
        same(f.variables["density"][:], truth[:, :, 0] if ensemble else truth[:, 0, 0], "density")
        assert f.dimensions["time"] is None, "unlimited"
    xarray(xr.open_zarr(folder / f"{name}.zarr", decode_times=False), ensemble)
    same(zarr.open_group(folder / f"{name}.zarr", mode="r")["D_xy"][:], truth[:, :, 4] if ensemble else truth[:, 0, 4], "D_xy")
    hdf5(folder / f"{name}.hdf5", ensemble)
    npz(folder / f"{name}.npz", ensemble)
    vti(folder / f"{name}.pvd", ensemble)
print("all values are equal")
