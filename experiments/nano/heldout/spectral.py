"""Test data of exponax: periodic systems, solved in Fourier space by ETDRK methods."""

import exponax as ex
import jax
import numpy as np

import well

jax.config.update("jax_enable_x64", True)

RUNS = 4


def frames(stepper, start, count, substeps, spin_up=0):
    """Returns count states, each substeps after the one before."""
    state = jax.numpy.asarray(start)
    if spin_up:
        state = jax.jit(ex.repeat(stepper, spin_up))(state)
    on = jax.jit(ex.repeat(stepper, substeps))
    out = [np.asarray(state)]
    for _ in range(count - 1):
        state = on(state)
        out.append(np.asarray(state))
    return np.stack(out)


def modes(n, dims, length):
    k = np.fft.fftfreq(n, 1 / n) * 2 * np.pi / length
    return np.stack(np.meshgrid(*[k] * dims, indexing="ij"))


def gradient(u, k):
    """Returns the gradient over the last axes, on a new first axis."""
    axes = tuple(range(-len(k), 0))
    hat = np.fft.fftn(u, axes=axes)
    return np.stack([np.fft.ifftn(1j * ka * hat, axes=axes).real for ka in k])


def pressure(u, k):
    """Solves ∇²p = −∂i uj ∂j ui; u has the shape (components, grid)."""
    g = np.stack([gradient(c, k) for c in u])
    k2 = (k**2).sum(0)
    k2[k2 == 0] = np.inf
    return np.fft.ifftn(np.fft.fftn(np.einsum("ij...,ji...->...", g, g)) / k2).real


def solenoidal(rng, n, k, low, high):
    """Draws a velocity without divergence, of root mean square 1, between two wave numbers."""
    hat = np.fft.fftn(rng.standard_normal((3, n, n, n)), axes=(1, 2, 3))
    size = np.sqrt((k**2).sum(0))
    hat *= (size >= low) & (size <= high)
    hat -= k * (k * hat).sum(0) / np.where(size == 0, 1, size**2)
    u = np.fft.ifftn(hat, axes=(1, 2, 3)).real
    return u / np.sqrt((u**2).sum(0).mean())


def turbulence():
    n, length, interval, rng = 24, 2 * np.pi, 0.3, np.random.default_rng(41)
    k, nu, runs, p = modes(n, 3, length), [0.02, 0.03, 0.045, 0.06], [], []
    for v in nu:
        s = ex.stepper.NavierStokesVelocity(3, length, n, interval / 12, diffusivity=v)
        runs.append(frames(s, solenoidal(rng, n, k, 1, 3.5), 24, 12, spin_up=12))
        p.append(np.stack([pressure(u, k) for u in runs[-1]]))
    u = np.stack(runs)
    return well.Set("navier_stokes_3D_24", [length] * 3, interval, [("PERIODIC",) * 2] * 3,
                    {"pressure": well.scalar(p), "velocity": well.vector(*np.moveaxis(u, 2, 0))},
                    {"viscosity": nu}, "exponax NavierStokesVelocity, ETDRK2; decay from random modes of 1 to 3.5")


def vortices():
    n, length, interval, rng = 18, 2 * np.pi, 0.3, np.random.default_rng(42)
    k, nu, runs = modes(n, 3, length), [0.04, 0.05, 0.07, 0.09], []
    x, y, z = np.stack(np.meshgrid(*[(np.arange(n) + 0.5) * length / n] * 3, indexing="ij"))
    for v in nu:
        green = np.stack([np.sin(x) * np.cos(y) * np.cos(z), -np.cos(x) * np.sin(y) * np.cos(z), 0 * x])
        s = ex.stepper.NavierStokesVelocity(3, length, n, interval / 10, diffusivity=v)
        runs.append(frames(s, 1.5 * green + 0.5 * solenoidal(rng, n, k, 1, 3), 24, 10))
    return well.Set("navier_stokes_3D_18", [length] * 3, interval, [("PERIODIC",) * 2] * 3,
                    {"velocity": well.vector(*np.moveaxis(np.stack(runs), 2, 0))},
                    {"viscosity": nu}, "exponax NavierStokesVelocity, ETDRK2; disturbed Taylor–Green vortices")


def reaction():
    n, interval, rng, runs = 56, 20.0, np.random.default_rng(43), []
    feed, kill = [0.022, 0.035, 0.046, 0.03], [0.054, 0.06, 0.063, 0.0565]
    x, y = np.meshgrid(*[(np.arange(n) + 0.5) / n] * 2, indexing="ij")
    for f, q in zip(feed, kill):
        spots = np.zeros((n, n))
        for cx, cy, w in zip(rng.random(9), rng.random(9), 0.025 + 0.035 * rng.random(9)):
            dx, dy = (x - cx + 0.5) % 1 - 0.5, (y - cy + 0.5) % 1 - 0.5
            spots = np.maximum(spots, np.exp(-(dx**2 + dy**2) / (2 * w * w)))
        s = ex.stepper.reaction.GrayScott(2, 1.0, n, 1.0, feed_rate=f, kill_rate=q)
        runs.append(frames(s, np.stack([1 - 0.5 * spots, 0.4 * spots]), 36, int(interval), spin_up=200))
    u = np.stack(runs)
    return well.Set("gray_scott_56", [1.0, 1.0], interval, [("PERIODIC",) * 2] * 2,
                    {"A": well.scalar(u[:, :, 0]), "B": well.scalar(u[:, :, 1])}, {"F": feed, "k": kill},
                    "exponax GrayScott, ETDRK2; nine spots, from time 200")


def wave():
    n, interval, speed, rng, p, u = 40, 0.035, [0.7, 0.9, 1.1, 1.3], np.random.default_rng(44), [], []
    x, y = np.meshgrid(*[(np.arange(n) + 0.5) / n] * 2, indexing="ij")
    for c in speed:
        pulses = np.zeros((n, n))
        for cx, cy, w, a in zip(rng.random(3), rng.random(3), 0.05 + 0.05 * rng.random(3), rng.uniform(-1, 1, 3)):
            dx, dy = (x - cx + 0.5) % 1 - 0.5, (y - cy + 0.5) % 1 - 0.5
            pulses += np.sign(a) * (0.5 + abs(a)) * np.exp(-(dx**2 + dy**2) / (2 * w * w))
        # The potential φ with p = −∂φ/∂t and u = ∇φ solves the same wave equation.
        s = ex.stepper.Wave(2, 1.0, n, interval, speed_of_sound=c)
        run = frames(s, np.stack([0 * pulses, -(pulses - pulses.mean())]), 40, 1)
        p.append(-run[:, 1])
        u.append(np.moveaxis(gradient(run[:, 0], modes(n, 2, 1.0)), 0, -1))
    u = np.stack(u)
    return well.Set("wave_40", [1.0, 1.0], interval, [("PERIODIC",) * 2] * 2,
                    {"pressure": well.scalar(p), "velocity": well.vector(u[..., 0], u[..., 1])},
                    {"speed": speed}, "exponax Wave, exact in Fourier space, as sound: three pulses at rest")


SETS = {"navier_stokes_3D_24": turbulence, "navier_stokes_3D_18": vortices, "gray_scott_56": reaction, "wave_40": wave}
