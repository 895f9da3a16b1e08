// Fields as pictures: cuts through volumes, interpolation, colour bars.
import { maps, short } from './colour.js';

// cut takes a picture out of a channel: {values, shape, axes}, where shape and axes are those
// of the horizontal and the vertical direction. Of a volume it is the slice at a position of
// an axis or, if position is null, the maximum along the axis: of signed fields the value of
// the largest magnitude.
export function cut(values, grid, axis, position, signed) {
  if (grid.length < 3) return { values, shape: [grid[0], grid[1] || 1], axes: [0, 1] };
  const axes = [0, 1, 2].filter((a) => a !== axis), stride = [grid[1] * grid[2], grid[2], 1];
  const shape = axes.map((a) => grid[a]), out = new Float32Array(shape[0] * shape[1]);
  for (let i = 0; i < shape[0]; i++) for (let j = 0; j < shape[1]; j++) {
    const at = i * stride[axes[0]] + j * stride[axes[1]], q = i * shape[1] + j;
    if (position !== null) { out[q] = values[at + position * stride[axis]]; continue; }
    let best = values[at];
    for (let k = 1; k < grid[axis]; k++) {
      const v = values[at + k * stride[axis]];
      if (signed ? Math.abs(v) > Math.abs(best) : v > best) best = v;
    }
    out[q] = best;
  }
  return { values: out, shape, axes };
}

// factor is the number of picture elements of a cell, so that pictures have similar sizes.
export const factor = (shape, size = 384) => Math.max(1, Math.min(24, Math.round(size / Math.max(...shape))));

// taps returns the four points and weights (Catmull-Rom) of every picture element.
function taps(n, k) {
  const at = new Int32Array(4 * n * k), w = new Float32Array(4 * n * k);
  for (let i = 0; i < n * k; i++) {
    const s = (i + 0.5) / k - 0.5, b = Math.floor(s), f = s - b;
    w.set([f * (-0.5 + f - 0.5 * f * f), 1 + f * f * (-2.5 + 1.5 * f), f * (0.5 + f * (2 - 1.5 * f)), f * f * (-0.5 + 0.5 * f)], 4 * i);
    for (let j = 0; j < 4; j++) at[4 * i + j] = Math.max(0, Math.min(n - 1, b - 1 + j));
  }
  return { at, w };
}

// enlarge interpolates values [nx·ny] to k picture elements per cell, smoothly or not.
export function enlarge(values, [nx, ny], k, smooth) {
  const w = nx * k, h = ny * k, out = new Float32Array(w * h);
  if (!smooth || k === 1) {
    for (let x = 0; x < w; x++) for (let y = 0; y < h; y++) out[x * h + y] = values[Math.floor(x / k) * ny + Math.floor(y / k)];
    return out;
  }
  const tx = taps(nx, k), ty = taps(ny, k), rows = new Float32Array(nx * h);
  for (let x = 0; x < nx; x++) for (let y = 0; y < h; y++) {
    let v = 0;
    for (let j = 4 * y; j < 4 * y + 4; j++) v += ty.w[j] * values[x * ny + ty.at[j]];
    rows[x * h + y] = v;
  }
  for (let x = 0; x < w; x++) for (let y = 0; y < h; y++) {
    let v = 0;
    for (let j = 4 * x; j < 4 * x + 4; j++) v += tx.w[j] * rows[tx.at[j] * h + y];
    out[x * h + y] = v;
  }
  return out;
}

// indices returns the colours of a picture out of n, row by row from the top: {index, width, height}.
export function indices(values, shape, r, k, smooth, n) {
  const big = enlarge(values, shape, k, smooth), width = shape[0] * k, height = shape[1] * k, index = new Uint8Array(width * height);
  for (let x = 0; x < width; x++) for (let y = 0; y < height; y++) {
    const f = (big[x * height + y] - r.low) / (r.high - r.low);
    index[(height - 1 - y) * width + x] = Math.max(0, Math.min(n - 1, Math.round((n - 1) * f)));
  }
  return { index, width, height };
}

// field draws a cut: its first axis to the right, its second upwards. mark is a cell to
// frame and point one to encircle, or null.
export function field(canvas, { values, shape }, r, smooth, mark, point = null) {
  const k = factor(shape), { index, width, height } = indices(values, shape, r, k, smooth, 256), colours = maps[r.map];
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  canvas.classList.toggle('smooth', smooth);
  canvas.style.aspectRatio = `${shape[0]} / ${shape[1]}`;
  canvas.parentElement.style.maxWidth = `calc(${(24 * shape[0] / shape[1]).toFixed(2)}rem + 4rem)`; // no picture is higher than that
  const g = canvas.getContext('2d'), image = g.createImageData(width, height);
  for (let p = 0; p < index.length; p++) {
    const i = 3 * index[p], o = 4 * p;
    image.data[o] = colours[i]; image.data[o + 1] = colours[i + 1]; image.data[o + 2] = colours[i + 2]; image.data[o + 3] = 255;
  }
  g.putImageData(image, 0, 0);
  for (const [colour, line] of [['#000', 5], ['#fff', 2]]) {
    g.strokeStyle = colour; g.lineWidth = line; g.beginPath();
    if (mark) g.rect(mark[0] * k - 2, height - (mark[1] + 1) * k - 2, k + 4, k + 4);
    if (point) { g.moveTo((point[0] + 0.5) * k + 8, height - (point[1] + 0.5) * k); g.arc((point[0] + 0.5) * k, height - (point[1] + 0.5) * k, 8, 0, 7); }
    g.stroke();
  }
}

// cell is the place of a pointer in cells of a canvas that shows a cut of this shape.
export function cell(canvas, e, shape) {
  const b = canvas.getBoundingClientRect(), edge = parseFloat(getComputedStyle(canvas).borderLeftWidth), w = b.width - 2 * edge, h = b.height - 2 * edge;
  return [(e.clientX - b.left - edge) / w * shape[0] - 0.5, shape[1] - 0.5 - (e.clientY - b.top - edge) / h * shape[1]];
}

// bar draws a colour bar and writes its ends.
export function bar(canvas, high, low, r) {
  const g = canvas.getContext('2d'), n = canvas.height, image = g.createImageData(1, n), colours = maps[r.map];
  for (let y = 0; y < n; y++) {
    const i = 3 * Math.round(255 * (n - 1 - y) / (n - 1));
    image.data.set([colours[i], colours[i + 1], colours[i + 2], 255], 4 * y);
  }
  g.putImageData(image, 0, 0);
  high.textContent = short(r.high);
  low.textContent = short(r.low);
}

// clear empties a picture.
export function clear(canvas) { canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height); }
