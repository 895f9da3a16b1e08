// Fields as pictures, colour bars, and the curve of scores.

// Anchors of the maps: viridis of S. van der Walt, N. Smith and E. Firing (CC0), and
// the blue-red map of K. Moreland (ISVC 2009).
const viridis = [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37]];
const coolwarm = [[59, 76, 192], [98, 130, 234], [141, 176, 254], [184, 208, 249], [221, 221, 221], [245, 196, 173], [244, 154, 123], [222, 96, 77], [180, 4, 38]];

function table(anchors) {
  const out = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; i++) {
    const at = i / 255 * (anchors.length - 1), k = Math.min(Math.floor(at), anchors.length - 2), f = at - k;
    for (let c = 0; c < 3; c++) out[3 * i + c] = anchors[k][c] * (1 - f) + anchors[k + 1][c] * f;
  }
  return out;
}
const maps = { viridis: table(viridis), coolwarm: table(coolwarm) };

// range of values that share a colour bar: symmetric if there are both signs.
export function range(arrays) {
  let low = Infinity, high = -Infinity;
  for (const a of arrays) for (const v of a) { if (v < low) low = v; if (v > high) high = v; }
  if (!(low <= high)) return { low: 0, high: 1, map: 'viridis' };
  if (low < 0 && low > -1e-3 * high) low = 0; // rounding
  if (low < -0.05 * (high - low) && high > 0.05 * (high - low)) {
    const m = Math.max(-low, high);
    return { low: -m, high: m, map: 'coolwarm' };
  }
  if (low === high) { const d = Math.abs(low) || 1; return { low: low - 0.5 * d, high: high + 0.5 * d, map: 'viridis' }; }
  return { low, high, map: 'viridis' };
}

// short writes a number for a colour bar.
export function short(v) {
  if (v === 0) return '0';
  const a = Math.abs(v);
  return a >= 1e4 || a < 1e-3 ? v.toExponential(1) : String(Number(v.toPrecision(3)));
}

// plane takes the plane z = slice out of a channel: an array [nx·ny].
export function plane(values, grid, slice) {
  if (grid.length < 3 || grid[2] === 1) return values;
  const out = new Float32Array(grid[0] * grid[1]);
  for (let p = 0; p < out.length; p++) out[p] = values[p * grid[2] + slice];
  return out;
}

// field draws a plane: x to the right, y upwards.
export function field(canvas, values, grid, r) {
  const nx = grid[0], ny = grid.length > 1 ? grid[1] : 1;
  if (canvas.width !== nx || canvas.height !== ny) { canvas.width = nx; canvas.height = ny; }
  canvas.style.aspectRatio = `${nx} / ${ny}`;
  canvas.parentElement.style.maxWidth = `calc(${(24 * nx / ny).toFixed(2)}rem + 5rem)`; // no picture is higher than that
  const g = canvas.getContext('2d'), image = g.createImageData(nx, ny), colours = maps[r.map];
  for (let x = 0; x < nx; x++) for (let y = 0; y < ny; y++) {
    const f = (values[x * ny + y] - r.low) / (r.high - r.low);
    const i = 3 * Math.max(0, Math.min(255, Math.round(255 * f))), o = 4 * ((ny - 1 - y) * nx + x);
    image.data[o] = colours[i]; image.data[o + 1] = colours[i + 1]; image.data[o + 2] = colours[i + 2]; image.data[o + 3] = 255;
  }
  g.putImageData(image, 0, 0);
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

// ticks returns round numbers from 0 to top.
function ticks(top) {
  const raw = top / 4, unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= raw);
  const out = [];
  for (let v = 0; v <= top * 1.0001; v += step) out.push(v);
  return out;
}

// chart draws curves of scores: [{values, colour, dash}], all over the steps 1, 2, ….
export function chart(canvas, curves, steps, at) {
  const css = getComputedStyle(document.body), scale = window.devicePixelRatio || 1;
  const w = canvas.clientWidth, h = canvas.clientHeight;
  canvas.width = w * scale; canvas.height = h * scale;
  const g = canvas.getContext('2d');
  g.scale(scale, scale);
  const left = 44, right = w - 16, top = 8, bottom = h - 26;
  let most = 1.05;
  for (const c of curves) for (const v of c.values) most = Math.max(most, v);
  most = Math.min(most, 20); // a forecast that is lost need not flatten the rest
  const x = (s) => left + (steps < 2 ? 0 : (right - left) * (s - 1) / (steps - 1)), y = (v) => bottom - (bottom - top) * Math.min(v, most) / most;
  g.font = '12px system-ui, sans-serif';
  g.fillStyle = css.getPropertyValue('--soft'); g.strokeStyle = css.getPropertyValue('--line'); g.lineWidth = 1;
  g.textAlign = 'right'; g.textBaseline = 'middle';
  for (const v of ticks(most)) {
    g.globalAlpha = 0.35; line(g, left, y(v), right, y(v)); g.globalAlpha = 1;
    g.fillText(short(v), left - 6, y(v));
  }
  g.textAlign = 'center'; g.textBaseline = 'top';
  for (const v of ticks(steps)) { const s = Math.max(1, Math.round(v)); g.fillText(s, x(s), bottom + 6); }
  if (at >= 1) { g.setLineDash([2, 3]); line(g, x(at), top, x(at), bottom); g.setLineDash([]); }
  for (const c of curves) {
    g.strokeStyle = css.getPropertyValue(c.colour); g.fillStyle = g.strokeStyle; g.lineWidth = 2.5; g.setLineDash(c.dash);
    g.beginPath();
    c.values.forEach((v, i) => { if (i) g.lineTo(x(i + 1), y(v)); else g.moveTo(x(1), y(v)); });
    g.stroke(); g.setLineDash([]);
    if (at >= 1 && at <= c.values.length) { g.beginPath(); g.arc(x(at), y(c.values[at - 1]), 4, 0, 7); g.fill(); }
  }
}

function line(g, x1, y1, x2, y2) { g.beginPath(); g.moveTo(x1, y1); g.lineTo(x2, y2); g.stroke(); }
