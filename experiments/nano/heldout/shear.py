"""Test data of shear flow: velocity and pressure, pseudospectral, Runge–Kutta of fourth order.

The problem is that of Dedalus' example of a periodic shear flow. No vorticity and no
stream function: each stage projects the velocity on fields without divergence.
"""

import functools

import numpy as np

import well

GRID, LENGTH, INTERVAL, FRAMES = (48, 96), [1.0, 2.0], 0.2, 36
REFINE = 1.5  # solved on a grid this much finer, then cut off in Fourier space


class Flow:
    def __init__(self, nu, kappa):
        n = [int(g * REFINE) for g in GRID]
        k = [np.fft.fftfreq(m, 1 / m) for m in n]
        self.k = np.stack(np.meshgrid(*[2 * np.pi * a / l for a, l in zip(k, LENGTH)], indexing="ij"))
        self.k2 = (self.k**2).sum(0)
        self.inverse = 1 / np.where(self.k2 == 0, np.inf, self.k2)
        keep = [np.abs(a) < m / 3 for a, m in zip(k, n)]
        self.keep = keep[0][:, None] & keep[1]
        self.decay = np.stack([nu * self.k2, nu * self.k2, kappa * self.k2])

    def advection(self, q):
        """Returns −u·∇ of both velocities and the tracer."""
        u = np.fft.ifft2(q[:2]).real
        slope = np.fft.ifft2(1j * self.k * q[:, None]).real
        return -np.fft.fft2((u * slope).sum(1)) * self.keep

    def project(self, u):
        return u - self.k * (self.k * u).sum(0) * self.inverse

    def rate(self, q):
        r = self.advection(q)
        r[:2] = self.project(r[:2])
        return r

    def step(self, q, h):
        """Takes a step of RK4 with the diffusion as an integrating factor."""
        half = self.half(h)
        a = self.rate(q)
        b = self.rate(half * (q + h / 2 * a))
        c = self.rate(half * q + h / 2 * b)
        d = self.rate(half * (half * q + h * c))
        return half**2 * (q + h / 6 * a) + h / 3 * half * (b + c) + h / 6 * d

    @functools.cache
    def half(self, h):
        return np.exp(-self.decay * h / 2)

    def frame(self, q):
        """Returns tracer, pressure and velocity on the grid of the data set."""
        r = self.advection(q)
        p = -1j * (self.k * r[:2]).sum(0) * self.inverse
        hat = np.fft.fftshift(np.stack([q[2], p, q[0], q[1]]), axes=(1, 2))
        low = [(n - g) // 2 for n, g in zip(hat.shape[1:], GRID)]
        hat = hat[:, low[0] : low[0] + GRID[0], low[1] : low[1] + GRID[1]]
        return np.fft.ifft2(np.fft.ifftshift(hat, axes=(1, 2))).real / REFINE**2


def start(rng, flow, width):
    n = [int(g * REFINE) for g in GRID]
    x, y = np.meshgrid(*[(np.arange(m) + 0.5) * l / m for m, l in zip(n, LENGTH)], indexing="ij")
    jet = 0.5 * (np.tanh((y - 0.5) / width) - np.tanh((y - 1.5) / width) - 1)
    cross = 0 * x
    for centre in (0.5, 1.5):
        for m in (1, 2, 3):
            a, phase = rng.normal(0, 0.1), rng.uniform(0, 2 * np.pi)
            cross += a * np.sin(2 * np.pi * m * x + phase) * np.exp(-(((y - centre) / 0.15) ** 2))
    hat = np.fft.fft2(np.stack([jet, cross, jet + 0.5])) * flow.keep
    hat[:2] = flow.project(hat[:2])
    return hat


def run(rng, reynolds, schmidt, width):
    flow = Flow(1 / reynolds, 1 / reynolds / schmidt)
    q, out, substeps = start(rng, flow, width), [], 10
    for i in range(FRAMES + 4):  # the first 4 frames are left out
        if i >= 4:
            out.append(flow.frame(q))
        for _ in range(substeps):
            q = flow.step(q, INTERVAL / substeps)
    return np.stack(out)


def shear_flow():
    rng, reynolds, schmidt = np.random.default_rng(21), [1000, 2000, 4000, 6000], [2, 1, 0.5, 1]
    q = np.stack([run(rng, r, s, w) for r, s, w in zip(reynolds, schmidt, [0.1, 0.07, 0.08, 0.06])])
    fields = {"tracer": well.scalar(q[:, :, 0]), "pressure": well.scalar(q[:, :, 1]),
              "velocity": well.vector(q[:, :, 2], q[:, :, 3])}
    return well.Set("shear_flow_48x96", LENGTH, INTERVAL, [("PERIODIC",) * 2] * 2, fields,
                    {"Reynolds": reynolds, "Schmidt": schmidt}, __doc__)


SETS = {"shear_flow_48x96": shear_flow}
