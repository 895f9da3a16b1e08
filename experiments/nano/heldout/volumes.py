"""Test data of Clawpack: sound and gas by wave propagation with limiters (PyClaw, classic)."""

import numpy as np
from clawpack import pyclaw, riemann

import well

BC = {"PERIODIC": pyclaw.BC.periodic, "WALL": pyclaw.BC.wall, "OPEN": pyclaw.BC.extrap}
BULK = 4.0  # bulk modulus of the acoustic media


def domain(grid, length):
    return pyclaw.Domain([pyclaw.Dimension(0.0, float(l), n, name=a) for a, n, l in zip("xyz", grid, length)])


def run(solver, state, grid, boundaries, interval, count):
    """Returns the conserved quantities of count states, interval apart."""
    for i, sides in enumerate(boundaries):
        solver.bc_lower[i], solver.bc_upper[i] = (BC[s] for s in sides)
        if state.num_aux:
            solver.aux_bc_lower[i] = solver.aux_bc_upper[i] = BC["OPEN"]
    solver.limiters = pyclaw.limiters.tvd.MC
    solver.dt_initial, solver.max_steps = interval / 100, 100000
    c = pyclaw.Controller()
    c.solution, c.solver = pyclaw.Solution(state, grid), solver
    c.tfinal, c.num_output_times = interval * (count - 1), count - 1
    c.keep_copy, c.output_format, c.verbosity = True, None, 0
    c.run()
    return np.stack([f.q.copy() for f in c.frames])


def sound(density, pressure, length, boundaries, interval, count):
    """Returns pressure and velocity of a sound that starts at rest."""
    grid, solver = domain(pressure.shape, length), pyclaw.ClawSolver2D(riemann.vc_acoustics_2D)
    state = pyclaw.State(grid, 3, 2)
    state.aux[0], state.aux[1] = np.sqrt(BULK * density), np.sqrt(BULK / density)
    state.q[:] = 0
    state.q[0] = pressure
    return run(solver, state, grid, boundaries, interval, count)


def gas(primitive, gamma, length, boundaries, interval, count):
    """Returns density, momentum and energy of a gas; primitive is density, velocity, pressure."""
    rho, u, p = primitive[0], primitive[1:-1], primitive[-1]
    grid, dims = domain(rho.shape, length), rho.ndim
    if dims == 2:
        solver = pyclaw.ClawSolver2D(riemann.euler_4wave_2D)
    else:
        solver = pyclaw.ClawSolver3D(riemann.euler_3D)
        solver.cfl_max, solver.cfl_desired = 0.6, 0.5
    state = pyclaw.State(grid, dims + 2)
    state.problem_data.update(gamma=gamma, gamma1=gamma - 1)
    state.q[0], state.q[1:-1] = rho, rho * u
    state.q[-1] = p / (gamma - 1) + rho * (u**2).sum(0) / 2
    return run(solver, state, grid, boundaries, interval, count)


def centres(grid, length):
    return np.stack(np.meshgrid(*[(np.arange(n) + 0.5) * l / n for n, l in zip(grid, length)], indexing="ij"))


def coarse(q, dims):
    """Averages blocks of two cells along each of the last axes."""
    for axis in range(-dims, 0):
        n = q.shape[axis] // 2
        q = np.moveaxis(np.moveaxis(q, axis, -1).reshape(*np.moveaxis(q, axis, -1).shape[:-1], n, 2).mean(-1), -1, axis)
    return q


def gas_fields(runs, gamma):
    """Names the fields of runs of the shape (trajectories, frames, quantities, grid)."""
    q = np.stack(runs)
    rho, m, e = q[:, :, 0], q[:, :, 1:-1], q[:, :, -1]
    g = np.reshape(gamma, (-1,) + (1,) * (rho.ndim - 1))
    return {"energy": well.scalar(e), "density": well.scalar(rho),
            "pressure": well.scalar((g - 1) * (e - (m**2).sum(2) / (2 * rho))),
            "momentum": well.vector(*np.moveaxis(m, 2, 0))}


def sound_fields(runs):
    q = np.stack(runs)
    return {"pressure": well.scalar(q[:, :, 0]), "velocity": well.vector(q[:, :, 1], q[:, :, 2])}


def obstacle():
    grid, length, interval, rng = (60, 60), [1.0, 1.0], 0.018, np.random.default_rng(31)
    x, boundaries, runs, solid = centres(grid, length), [("WALL", "OPEN"), ("WALL", "WALL")], [], []
    for i in range(4):
        c, r = rng.uniform(0.35, 0.65, 2), rng.uniform(0.08, 0.16)
        d = np.abs(x - c[:, None, None])
        mask = np.hypot(*d) < r if i % 2 else (d[0] < r) & (d[1] < 0.6 * r)
        s = c + 0.3 * np.array([np.cos(i * 1.9), np.sin(i * 1.9)])
        pulse = 2 * np.exp(-(((x - s[:, None, None]) ** 2).sum(0)) / (2 * 0.05**2))
        runs.append(sound(np.where(mask, 1e6, 1.0 + i / 4), pulse * ~mask, length, boundaries, interval, 40))
        solid.append(mask)
    fields = sound_fields(runs) | {"mask": well.constant(np.stack(solid).astype(float))}
    return well.Set("acoustics_obstacle_60", length, interval, boundaries, fields, {},
                    "Clawpack vc_acoustics_2D; a pulse meets a disc or a box of density 1e6")


def inclusions():
    grid, length, interval, rng = (72, 48), [3.0, 2.0], 0.07, np.random.default_rng(32)
    x, boundaries, runs, density = centres(grid, length), [("OPEN", "OPEN"), ("OPEN", "WALL")], [], []
    for i in range(4):
        rho = np.full(grid, 0.8 + 0.4 * i)
        for _ in range(3 + i):
            c, r = rng.uniform(0.2, 0.8, 2) * length, rng.uniform(0.12, 0.35, 2)
            inside = (((x - c[:, None, None]) / r[:, None, None]) ** 2).sum(0) < 1
            rho[inside] = rng.uniform(2, 9)
        front = np.exp(-((x[0] - 0.4 - 0.2 * x[1]) ** 2) / (2 * 0.1**2)) if i % 2 else 0
        s = rng.uniform(0.3, 0.7, 2) * length
        pulse = np.exp(-(((x - s[:, None, None]) ** 2).sum(0)) / (2 * 0.12**2))
        runs.append(sound(rho, front - pulse, length, boundaries, interval, 40))
        density.append(rho)
    fields = sound_fields(runs) | {"density": well.constant(density),
                                   "speed_of_sound": well.constant(np.sqrt(BULK / np.stack(density)))}
    return well.Set("acoustics_inclusions_72x48", length, interval, boundaries, fields, {},
                    "Clawpack vc_acoustics_2D; pulses and fronts among ellipses of density 2 to 9")


def blocks(rng, x, length, parts):
    """Draws density, velocity and pressure, constant in parts blocks per axis."""
    dims = len(length)
    index = np.zeros(x.shape[1:], dtype=int)
    for axis, l in enumerate(length):
        cuts = (np.arange(1, parts) + rng.uniform(-0.2, 0.2, parts - 1)) * l / parts
        index = index * parts + np.searchsorted(cuts, x[axis])
    values = np.concatenate([rng.uniform(0.3, 1.5, (1, parts**dims)), rng.uniform(-0.5, 0.5, (dims, parts**dims)),
                             rng.uniform(0.3, 1.5, (1, parts**dims))])
    return values[:, index]


def quadrants(name, grid, length, kind, interval, refine, seed):
    rng, gamma, runs = np.random.default_rng(seed), [1.25, 1.4, 1.5, 5 / 3], []
    boundaries = [(kind, kind)] * len(grid)
    x = centres([n * refine for n in grid], length)
    count = 36 if len(grid) == 2 else 20
    for i, g in enumerate(gamma):
        q = gas(blocks(rng, x, length, 2 + i % 2), g, length, boundaries, interval, count)
        runs.append(coarse(q, len(grid)) if refine == 2 else q)
    return well.Set(name, length, interval, boundaries, gas_fields(runs, gamma), {"gamma": gamma},
                    "Clawpack; blocks of constant density, velocity and pressure")


SETS = {
    "acoustics_obstacle_60": obstacle,
    "acoustics_inclusions_72x48": inclusions,
    "euler_quadrants_periodic_80": lambda: quadrants("euler_quadrants_periodic_80", (80, 80), [1.0, 1.0], "PERIODIC", 0.012, 1, 33),
    "euler_quadrants_open_56x40": lambda: quadrants("euler_quadrants_open_56x40", (56, 40), [1.4, 1.0], "OPEN", 0.025, 2, 34),
    "euler_3D_20": lambda: quadrants("euler_3D_20", (20, 20, 20), [1.0, 1.0, 1.0], "PERIODIC", 0.045, 1, 35),
}
