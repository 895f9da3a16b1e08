"""Writes copies of a data set's files in other storage: python3 repack.py FOLDER

FOLDER/contiguous is copied to FOLDER/gzip and FOLDER/shuffle_gzip, with the chunks that h5py
chooses and its default level of compression.
"""
import pathlib
import sys

import h5py


def copy(source, target, options):
    for key, value in source.attrs.items():
        target.attrs[key] = value
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            copy(item, target.create_group(name), options)
            continue
        large = item.ndim >= 3
        new = target.create_dataset(name, data=item[()], dtype=item.dtype, **(options if large else {}))
        for key, value in item.attrs.items():
            new.attrs[key] = value


folder = pathlib.Path(sys.argv[1])
for name, options in {"gzip": {"compression": "gzip"}, "shuffle_gzip": {"compression": "gzip", "shuffle": True}}.items():
    for path in (folder / "contiguous").rglob("*.hdf5"):
        out = folder / name / path.relative_to(folder / "contiguous")
        out.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path) as source, h5py.File(out, "w") as target:
            copy(source, target, options)
            chunks = []
            target.visititems(lambda n, d: chunks.append((n, d.chunks)) if isinstance(d, h5py.Dataset) and d.chunks else None)
            print(out, out.stat().st_size, chunks[0])
