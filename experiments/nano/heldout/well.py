"""Writes trajectories in the HDF5 layout of The Well."""

import pathlib

import h5py
import numpy as np

AXES = "xyz"


class Set:
    """One test split: trajectories of one system on one grid.

    fields maps a name to (order, constant, values). The values have the shape
    (trajectories, frames, grid..., components...), constant ones no frames.
    boundaries holds a pair of PERIODIC, WALL or OPEN per axis. scalars maps a name to
    one value per trajectory. doc says how the set was made.
    """

    def __init__(self, name, length, interval, boundaries, fields, scalars, doc):
        self.name, self.length, self.interval = name, length, interval
        self.boundaries, self.fields, self.scalars, self.doc = boundaries, fields, scalars, doc

    def write(self, folder):
        """Writes the test split and returns the path of its file."""
        path = pathlib.Path(folder) / self.name / "data" / "test" / f"{self.name}.hdf5"
        path.parent.mkdir(parents=True, exist_ok=True)
        order, constant, values = next(f for f in self.fields.values() if not f[1])
        trajectories, frames, grid = values.shape[0], values.shape[1], values.shape[2 : 2 + len(self.length)]
        with h5py.File(path, "w") as f:
            f.attrs["dataset_name"] = self.name
            f.attrs["grid_type"] = "cartesian"
            f.attrs["n_spatial_dims"] = len(grid)
            f.attrs["n_trajectories"] = trajectories
            f.attrs["simulation_parameters"] = []
            self._dimensions(f.create_group("dimensions"), frames, grid)
            self._boundaries(f.create_group("boundary_conditions"), grid)
            self._scalars(f.create_group("scalars"))
            for order in range(3):
                self._fields(f.create_group(f"t{order}_fields"), order, len(grid))
        return path

    def _dimensions(self, group, frames, grid):
        group.attrs["spatial_dims"] = list(AXES[: len(grid)])
        time = group.create_dataset("time", data=np.arange(frames, dtype=np.float32) * self.interval)
        time.attrs.update(sample_varying=False, time_varying=True)
        for axis, n, length in zip(AXES, grid, self.length):
            d = group.create_dataset(axis, data=((np.arange(n) + 0.5) * length / n).astype(np.float32))
            d.attrs.update(sample_varying=False, time_varying=False)

    def _boundaries(self, group, grid):
        for axis, n, (low, high) in zip(AXES, grid, self.boundaries):
            for kind in {low, high}:
                mask = np.zeros(n, dtype=bool)
                mask[0], mask[-1] = low == kind, high == kind
                g = group.create_group(f"{axis}_{kind.lower()}")
                g.attrs.update(associated_dims=[axis], associated_fields=[], bc_type=kind)
                g.attrs.update(sample_varying=False, time_varying=False)
                g.create_dataset("mask", data=mask)

    def _scalars(self, group):
        group.attrs["field_names"] = list(self.scalars)
        for name, values in self.scalars.items():
            d = group.create_dataset(name, data=np.asarray(values, dtype=np.float32))
            d.attrs.update(sample_varying=True, time_varying=False)

    def _fields(self, group, order, dims):
        chosen = {k: v for k, v in self.fields.items() if v[0] == order}
        group.attrs["field_names"] = list(chosen)
        for name, (_, constant, values) in chosen.items():
            if not np.isfinite(values).all():
                raise ValueError(f"{self.name}: {name}: expected finite values")
            d = group.create_dataset(name, data=values.astype(np.float32), compression="gzip", shuffle=True)
            d.attrs.update(sample_varying=True, time_varying=not constant, dim_varying=[True] * dims)
            if order == 2:
                d.attrs.update(symmetric=False, antisymmetric=False)


def scalar(values):
    return 0, False, np.asarray(values)


def constant(values):
    return 0, True, np.asarray(values)


def vector(*components):
    return 1, False, np.stack(components, axis=-1)
