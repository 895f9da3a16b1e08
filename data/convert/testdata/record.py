"""Writes values.json: the CRC-32 of every channel of every source, over all
trajectories, frames and points in the order of the Well layout, float32, read with
h5py and numpy alone (layouts: testdata/data/NOTES.md)."""
import json
import zlib

import h5py
import numpy as np

root = "../../../testdata/data/sources/"
out = {}


def record(file, **channels):
    out[file] = {k: zlib.crc32(np.ascontiguousarray(v, dtype="<f4").tobytes()) for k, v in channels.items()}


for file, axes in (("PDEBench/2D_CFD_Rand_M0.1_Eta1e-08_Zeta1e-08_periodic_32_Train.hdf5", "xy"),
                   ("PDEBench/3D_CFD_Rand_M1.0_Eta1e-08_Zeta1e-08_periodic_Train.hdf5", "xyz")):
    f = h5py.File(root + file)
    record(file, density=f["density"], pressure=f["pressure"], **{"velocity_" + a: f["V" + a] for a in axes})

file = "PDEBench/2D_diff-react_NA_NA.h5"
f = h5py.File(root + file)
both = np.stack([f[k]["data"] for k in sorted(f)])
record(file, A=both[..., 0], B=both[..., 1])

file = "PDEBench/ns_incom_inhom_2d-0.h5"
f = h5py.File(root + file)
record(file, tracer=f["particles"][..., 0], velocity_x=f["velocity"][..., 0], velocity_y=f["velocity"][..., 1])

for split, file in (("train", "PDEArena/NavierStokes2D_train_42_0.50000_1.h5"), ("valid", "PDEArena/NavierStokes2D_valid_42_0.50000.h5")):
    f = h5py.File(root + file)[split]
    record(file, tracer=f["u"][...], velocity_x=f["vx"][...], velocity_y=f["vy"][...])

for file, name, channels in (("PDEGym/CE-RM.nc", "solution", "density velocity_x velocity_y pressure -"),
                             ("PDEGym/CE-RP.nc", "data", "density velocity_x velocity_y pressure tracer"),
                             ("PDEGym/NS-SL.nc", "velocity", "velocity_x velocity_y tracer")):
    values = h5py.File(root + file)[name]
    record(file, **{c: values[:, :, i] for i, c in enumerate(channels.split()) if c != "-"})

file = "PDEGym/Wave-Layer.nc"
record(file, pressure=h5py.File(root + file)["solution"])

file = "BubbleML_2/PoolBoiling-Subcooled-FC72-2D/Twall_97.hdf5"
f = h5py.File(root + file)
names = dict(temperature="temperature", pressure="pressure", signed_distance="dfun", massflux="massflux",
             velocity_x="velx", velocity_y="vely", interface_normal_x="normx", interface_normal_y="normy")
record(file, **{k: np.swapaxes(f[v], -1, -2) for k, v in names.items()})

file = "FlowBench/FPO_NS_2D_40x40/harmonics/1/Re_100.npz"
values = np.load(root + file)["data"]
record(file, **{c: np.swapaxes(values[2:, ..., i], -1, -2) for i, c in enumerate(("velocity_x", "velocity_y", "pressure"))})
json.dump(out, open("values.json", "w"), indent=1)
