"""Makes the held-out test data: make.py FOLDER [SET...]."""

import importlib
import sys

SOLVERS = {
    "spectral": ["navier_stokes_3D_24", "navier_stokes_3D_18", "gray_scott_56", "wave_40"],
    "volumes": ["acoustics_obstacle_60", "acoustics_inclusions_72x48", "euler_quadrants_periodic_80",
                "euler_quadrants_open_56x40", "euler_3D_20"],
    "shear": ["shear_flow_48x96"],
}


def main(folder, wanted):
    known = [s for sets in SOLVERS.values() for s in sets]
    unknown = set(wanted) - set(known)
    if unknown:
        sys.exit(f"make.py: expected names of {known}, got {sorted(unknown)}")
    for module, sets in SOLVERS.items():
        for name in sets:
            if name in (wanted or known):
                print(importlib.import_module(module).SETS[name]().write(folder), flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
