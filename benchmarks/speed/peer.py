"""The same network in PyTorch, to measure training against:

    python3 peer.py --check ../../testdata/golden     compares the loss with the reference's
    python3 peer.py SIZE [--task forecast] [--compile] [--steps N] [--cuda] [--bfloat16]
                                                      prints seconds and peak memory of a step

On CUDA, products of float32 are rounded to TF32, as gowalrus does there by default.

It is written for this comparison alone: one system, planes or volumes of the sizes
that the released table of strides allows.
"""
import argparse
import json
import math
import resource
import subprocess
import time

import torch
import torch.nn.functional as F
from torch import nn

WALL, OPEN, PERIODIC = 0, 1, 2
STRIDES = {1: (1, 1), 4: (2, 2), 8: (4, 2), 12: (6, 2), 16: (4, 4), 24: (6, 4), 32: (8, 4)}
SIZES = {  # hidden, blocks, heads, grid, frames
    "small": (256, 4, 4, (128, 128, 1), 6),
    "medium": (512, 8, 8, (256, 256, 1), 6),
    "volume": (128, 2, 4, (64, 64, 64), 3),
    "released": (1408, 40, 16, (256, 256, 1), 6),
}


def rms(x, weight):
    """x [N, C, space…], the mean square over space alone."""
    mean = x.square().mean(dim=tuple(range(2, x.ndim)), keepdim=True)
    shape = (1, -1) + (1,) * (x.ndim - 2)
    return x * torch.rsqrt(mean + torch.finfo(torch.float32).eps) * weight.view(shape)


class Norm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x):
        return rms(x, self.weight)


class Holder(nn.Module):
    """A module that only holds a weight and perhaps a bias under the release's names."""

    def __init__(self, *shape, bias=0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(shape) / math.sqrt(math.prod(shape[1:])))
        if bias:
            self.bias = nn.Parameter(torch.zeros(bias))


class TimeBias(nn.Module):
    def __init__(self, heads):
        super().__init__()
        self.relative_attention_bias = nn.Embedding(32, heads)

    def forward(self, steps):
        at = torch.arange(steps, device=self.relative_attention_bias.weight.device)
        n = (at[:, None] - at[None, :]).clamp(min=0)
        far = 16 + (torch.log(n.clamp(min=1) / 16) / math.log(2) * 16).to(torch.long)
        bucket = torch.where(n < 16, n, far.clamp(max=31))
        bias = self.relative_attention_bias(bucket).permute(2, 0, 1)
        return bias.masked_fill((at[None, :] > at[:, None])[None], float("-inf"))


class TimeMixing(nn.Module):
    def __init__(self, c, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = Norm(c)
        self.input_head = Holder(3 * c, c, 1, 1, 1, bias=3 * c)
        self.output_head = Holder(c, c, 1, 1, 1, bias=c)
        self.qnorm, self.knorm = nn.LayerNorm(c // heads), nn.LayerNorm(c // heads)
        self.rel_pos_bias = TimeBias(heads)

    def forward(self, x):
        t, b, c, h, w, d = x.shape
        y = self.norm1(x.reshape(t * b, c, h, w, d)).permute(0, 2, 3, 4, 1)
        z = F.linear(y, self.input_head.weight.view(3 * c, c), self.input_head.bias)
        z = z.reshape(t, b * h * w * d, self.heads, 3, c // self.heads).permute(3, 1, 2, 0, 4)
        q, k, v = self.qnorm(z[0]), self.knorm(z[1]), z[2]
        o = F.scaled_dot_product_attention(q, k, v, attn_mask=self.rel_pos_bias(t))
        o = o.permute(2, 0, 1, 3).reshape(t * b, h, w, d, c)
        o = F.linear(o, self.output_head.weight.view(c, c), self.output_head.bias)
        return x + o.permute(0, 4, 1, 2, 3).reshape(x.shape)


class Rotary(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.register_buffer("freqs", math.pi * torch.linspace(1, 128, width // 4 // 2))

    def angles(self, grid):
        axes = []
        for i, n in enumerate(grid):
            shape = [1, 1, 1, -1]
            shape[i] = n
            p = torch.linspace(-1, 1, n, device=self.freqs.device) if n > 1 else self.freqs.new_full((1,), -1)
            axes.append((p[:, None] * self.freqs).view(*shape[:3], -1).expand(*grid, -1))
        return torch.cat(axes, -1).reshape(math.prod(grid), -1)


def turn(x, cos, sin):
    n = 2 * cos.shape[-1]
    a, b = x[..., :n:2], x[..., 1:n:2]
    turned = torch.stack((a * cos - b * sin, b * cos + a * sin), -1).flatten(-2)
    return torch.cat((turned, x[..., n:]), -1)


class SpaceMixing(nn.Module):
    def __init__(self, c, heads):
        super().__init__()
        self.c, self.heads = c, heads
        self.norm1 = Norm(c)
        self.fused_ff_qkv = nn.Linear(c, 7 * c)
        self.ff_out = nn.Linear(2 * c, c)
        self.attn_out = nn.Linear(c, c, bias=False)
        self.q_norm, self.k_norm = nn.LayerNorm(c // heads), nn.LayerNorm(c // heads)
        self.rotary_emb = Rotary(c // heads)

    def forward(self, x):
        t, b, c, h, w, d = x.shape
        y = self.norm1(x.reshape(t * b, c, h, w, d)).flatten(2).transpose(1, 2)
        ff, q, k, v = self.fused_ff_qkv(y).split((4 * c, c, c, c), -1)
        q, k, v = (u.reshape(t * b, -1, self.heads, c // self.heads).transpose(1, 2) for u in (q, k, v))
        angle = self.rotary_emb.angles((h, w, d))
        cos, sin = angle.cos().to(q.dtype), angle.sin().to(q.dtype)
        q, k = turn(self.q_norm(q), cos, sin), turn(self.k_norm(k), cos, sin)
        o = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(t * b, -1, c)
        o = self.attn_out(o) + self.ff_out(F.silu(ff[..., 2 * c:]) * ff[..., :2 * c])
        return x + o.transpose(1, 2).reshape(x.shape)


class Block(nn.Module):
    def __init__(self, c, heads):
        super().__init__()
        self.space_mixing, self.time_mixing = SpaceMixing(c, heads), TimeMixing(c, heads)

    def forward(self, x):
        return self.space_mixing(self.time_mixing(x))


class Encoder(nn.Module):
    def __init__(self, states, inner, hidden):
        super().__init__()
        self.states = states
        self.proj1, self.norm1 = Holder(inner, states, 8, 8, 8), Norm(inner)
        self.proj2, self.norm2 = Holder(hidden, inner, 4, 4, 4), Norm(hidden)

    def forward(self, x, labels, strides):
        w = self.proj1.weight[:, torch.cat((labels, labels.new_tensor([2, 0, 1])))]
        scale = w.new_ones(w.shape[1])
        scale[:-2] = math.sqrt((self.states - 3) / len(labels))
        x = F.silu(self.norm1(conv(x, w * scale.view(1, -1, 1, 1, 1), [s[0] for s in strides])))
        return F.silu(self.norm2(conv(x, self.proj2.weight, [s[1] for s in strides])))


def conv(x, w, stride):
    for a in (2, 3, 4):
        if x.shape[a] == 1:
            w = w.sum(a, keepdim=True)
    return F.conv3d(x, w, stride=[s if n > 1 else 1 for s, n in zip(stride, x.shape[2:])])


class Decoder(nn.Module):
    def __init__(self, states, inner, hidden):
        super().__init__()
        self.proj1, self.norm1 = Holder(hidden, inner, 4, 4, 4), Norm(inner)
        self.proj2 = Holder(inner, states, 8, 8, 8, bias=states)

    def forward(self, x, labels, strides, periodic):
        x = F.silu(self.norm1(deconv(x, self.proj1.weight, None, [s[1] for s in strides], periodic)))
        return deconv(x, self.proj2.weight[:, labels], self.proj2.bias[labels], [s[0] for s in strides], periodic)


def deconv(x, w, bias, stride, periodic):
    pads, crops, steps = [], [], []
    for a in (2, 3, 4):
        k, s = w.shape[a], stride[a - 2]
        if x.shape[a] == 1:
            w, k, s = w.mean(a, keepdim=True), 1, 1
        around = (k - s) // s if periodic[a - 2] and k > 1 else 0
        pads = [around, around] + pads
        crops.append(around * s)
        steps.append(s)
    if any(pads):
        x = F.pad(x, pads, mode="circular")
    y = F.conv_transpose3d(x, w, bias, stride=steps)
    for a, n in enumerate(crops, 2):
        if n:
            y = y.narrow(a, n, y.shape[a] - 2 * n)
    return y


class Walrus(nn.Module):
    def __init__(self, hidden, inner, blocks, heads, states, dims=(2, 3)):
        super().__init__()
        self.encoder_dummy = nn.Parameter(torch.ones(1))
        self.embed = nn.ModuleDict({str(d): Encoder(states, inner, hidden) for d in dims})
        self.blocks = nn.ModuleList(Block(hidden, heads) for _ in range(blocks))
        self.debed = nn.ModuleDict({str(d): Decoder(states, inner, hidden) for d in dims})

    def forward(self, x, labels, bcs, shifts, rolls):
        t, b, c, *grid = x.shape
        dim = str(sum(n > 1 for n in grid))
        target = 32 if dim == "2" else 16
        strides = [STRIDES[n // target] if n > 1 else (1, 1) for n in grid]
        periodic = [bc[0] == PERIODIC and n > 1 for bc, n in zip(bcs, grid)]
        y, pads = jitter(x * self.encoder_dummy, bcs, strides, periodic, shifts)
        y = self.embed[dim](y.flatten(0, 1), labels, strides)
        y = y.reshape(t, b, *y.shape[1:])
        total = [0, 0, 0]
        for block, roll in zip(self.blocks, rolls):
            roll = [int(r) if p else 0 for r, p in zip(roll, periodic)]
            total = [u + v for u, v in zip(total, roll)]
            if any(roll):
                y = torch.roll(y, roll, (3, 4, 5))
            y = block(y)
        if any(total):
            y = torch.roll(y, [-v for v in total], (3, 4, 5))
        y = self.debed[dim](y.flatten(0, 1), labels, strides, periodic)
        y = unjitter(y, grid, periodic, pads, shifts)
        return y.reshape(t, b, *y.shape[1:])


def jitter(x, bcs, strides, periodic, shifts):
    t, b, c, *grid = x.shape
    x = x.flatten(0, 1)
    pads = []
    for n, (s1, s2), p in zip(grid, strides, periodic):
        extra = (8 + s1 * 3 - s1 * s2) // 2
        pads.append(0 if n == 1 else extra if p else extra + (s1 * s2 // 2 if s1 * s2 > 1 else 0))
    walls = [0 if q else p for p, q in zip(pads, periodic)]
    x = F.pad(x, [v for p in reversed(walls) for v in (p, p)])
    flags = x.new_zeros(3, *x.shape[2:])
    flags[0] = 1
    for a, (n, p) in enumerate(zip(grid, walls)):
        if p == 0:
            continue
        for side, at in ((0, 0), (1, flags.shape[a + 1] - p)):
            flags[0].narrow(a, at, p).zero_()
            flags[1 + int(bcs[a][side])].narrow(a, at, p).add_(1)
    x = torch.cat((x, flags.expand(x.shape[0], *flags.shape)), 1)
    if any(shifts):
        x = torch.roll(x, [int(s) for s in shifts], (2, 3, 4))
    around = [p if q else 0 for p, q in zip(pads, periodic)]
    if any(around):
        x = F.pad(x, [v for p in reversed(around) for v in (p, p)], mode="circular")
    return x.reshape(t, b, *x.shape[1:]), pads


def unjitter(y, grid, periodic, pads, shifts):
    for a, (n, q, p) in enumerate(zip(grid, periodic, pads), 2):
        if q:
            y = y.narrow(a, p, n)
    if any(shifts):
        y = torch.roll(y, [-int(s) for s in shifts], (2, 3, 4))
    for a, (n, q, p) in enumerate(zip(grid, periodic, pads), 2):
        if not q and p:
            y = y.narrow(a, p, n)
    return y


def loss_of(model, fields, real, labels, bcs, shifts, rolls):
    """fields [T+1, B, C, H, W, D] in physical units."""
    x = fields[:-1]
    axes = (0, 3, 4, 5)
    std = x.square().mean(axes, keepdim=True).sqrt().clamp(min=1e-5)
    delta = (x[1:] - x[:-1]).square().mean(axes, keepdim=True).sqrt().clamp(min=1e-5)
    y = model(x / std, labels, bcs, shifts, rolls) * real
    ref = (fields[1:] - x) / delta * real
    return 100 * (y - ref).abs()[1:].mean()


def check(folder):
    """Compares losses and gradients with the reference's."""
    from safetensors.torch import load_file
    manifest = json.load(open(folder + "/manifest.json"))
    for case in manifest["cases"]:
        if "weights" not in case or not case["case"].startswith(("i_train", "l_adamw")):
            continue
        data = load_file(f"{folder}/{case['file']}")
        weights = load_file(f"{folder}/{case['weights']}")
        c, inner = weights["embed.3.proj2.weight"].shape[:2]
        heads = weights["blocks.0.time_mixing.rel_pos_bias.relative_attention_bias.weight"].shape[1]
        blocks = 1 + max(int(k.split(".")[1]) for k in weights if k.startswith("blocks."))
        model = Walrus(c, inner, blocks, heads, weights["embed.3.proj1.weight"].shape[1])
        model.load_state_dict(weights)
        if "batch.constant_fields" in data:
            print(case["case"], "has constant fields: left out")
            continue
        fields = torch.cat((data["batch.input_fields"], data["batch.output_fields"]), 1).permute(1, 0, 5, 2, 3, 4)
        real = data["batch.padded_field_mask"].float().view(1, 1, -1, 1, 1, 1)
        loss = loss_of(model, fields, real, data["batch.field_indices"].long(), data["batch.boundary_conditions"][0].tolist(),
                       data["jitter"].flatten()[:3].tolist(), data["block_rolls"].reshape(-1, blocks, 3)[0].tolist())
        recorded = data["loss"].item() if "loss" in data else 100 * case["mae"][0]
        print(case["case"], "loss", loss.item(), "recorded", recorded)


def forecast(model, window, labels, bcs, shifts, rolls):
    """The next frame of a rollout, and the window moved on by it."""
    axes = (0, 3, 4, 5)
    std = window.square().mean(axes, keepdim=True).sqrt().clamp(min=1e-5)
    delta = (window[1:] - window[:-1]).square().mean(axes, keepdim=True).sqrt().clamp(min=1e-5)
    dtype = model.encoder_dummy.dtype
    y = model((window / std).to(dtype), labels, bcs, shifts, rolls)[-1:].float()
    return torch.cat((window[1:], window[-1:] + y * delta))


def device_mib():
    """MiB in use of the GPU, by all programs; what an allocator keeps is among them."""
    out = subprocess.run(["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"], capture_output=True, check=True)
    return int(out.stdout.split()[0])


def measure(size, tasks, compiled, steps, cuda, half):
    hidden, blocks, heads, grid, frames = SIZES[size]
    torch.manual_seed(1)
    device = torch.device("cuda" if cuda else "cpu")
    if cuda:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    dims = (2, 3) if grid[2] == 1 else (3,)
    with device:
        model = Walrus(hidden, hidden // 4, blocks, heads, 67, dims)
    if compiled:
        for i, block in enumerate(model.blocks):
            model.blocks[i] = torch.compile(block)
    for task in tasks:
        run(model, size, task, compiled, steps, half)


def run(model, size, task, compiled, steps, half):
    _, blocks, _, grid, frames = SIZES[size]
    device = model.encoder_dummy.device
    model.to(torch.bfloat16 if half and task != "step" else torch.float32)
    rounding = torch.autocast(device.type, torch.bfloat16, enabled=half)
    used = [p for n, p in model.named_parameters() if not n.startswith(("embed.3", "debed.3")) or grid[2] > 1]
    optimizer = torch.optim.AdamW(used, lr=2e-4, eps=1e-10, weight_decay=1e-4)
    fields = torch.randn(frames + 1, 1, 5, *grid, device=device).cumsum(0)
    labels = torch.arange(3, 8, device=device)
    bcs = [(PERIODIC, PERIODIC), (WALL, WALL), (PERIODIC, PERIODIC)]
    times, cpu, window = [], [], fields[:-1]
    for _ in range(steps):
        begin, burnt = time.time(), time.process_time()
        shifts = [int(v) for v in torch.randint(-3, 4, (3,))]
        if grid[2] == 1:
            shifts[2] = 0
        rolls = torch.randint(0, 16, (blocks, 3)).tolist()
        if task == "step":
            optimizer.zero_grad(set_to_none=True)
            with rounding:
                loss = loss_of(model, fields, 1.0, labels, bcs, shifts, rolls)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(used, 10)
            optimizer.step()
        else:
            with torch.no_grad():
                window = forecast(model, window, labels, bcs, shifts, rolls)
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.time() - begin)
        cpu.append(time.process_time() - burnt)
    first = times[0]
    times = sorted(times[1:] or times)
    print(json.dumps({"program": "torch " + torch.__version__ + (" compiled" if compiled else " eager"), "size": size,
                      "seconds": {"min": times[0], "median": times[len(times) // 2]}, "first": first,
                      "cpu_seconds": min(cpu[1:] or cpu),
                      "device_mib": device_mib() if device.type == "cuda" else 0,
                      "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("size", nargs="?", choices=SIZES)
    parser.add_argument("--check")
    parser.add_argument("--task", default="step", help="step, forecast or cached, or several, separated by commas")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--cuda", action="store_true")
    parser.add_argument("--bfloat16", action="store_true")
    a = parser.parse_args()
    torch.set_num_threads(2)
    if a.check:
        check(a.check)
    if a.size:
        measure(a.size, a.task.split(","), a.compile, a.steps, a.cuda, a.bfloat16)
