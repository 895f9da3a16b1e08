// Colour maps and the ranges of values that they show.

// Anchors of the maps: viridis, magma and cividis (S. van der Walt, N. Smith, E. Firing; J. Nuñez
// and others; CC0), and the blue-red map of K. Moreland (ISVC 2009).
const anchors = {
  viridis: [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37]],
  magma: [[0, 0, 4], [24, 15, 61], [68, 15, 118], [114, 31, 129], [158, 47, 127], [205, 64, 113], [241, 96, 93], [253, 150, 104], [254, 202, 141], [252, 253, 191]],
  cividis: [[0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115], [138, 134, 120], [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56]],
  greys: [[0, 0, 0], [255, 255, 255]],
  coolwarm: [[59, 76, 192], [98, 130, 234], [141, 176, 254], [184, 208, 249], [221, 221, 221], [245, 196, 173], [244, 154, 123], [222, 96, 77], [180, 4, 38]],
};

// palette returns n colours of a map, [3n].
export function palette(name, n) {
  const list = anchors[name], out = new Uint8ClampedArray(n * 3);
  for (let i = 0; i < n; i++) {
    const at = i / (n - 1) * (list.length - 1), k = Math.min(Math.floor(at), list.length - 2), f = at - k;
    for (let c = 0; c < 3; c++) out[3 * i + c] = list[k][c] * (1 - f) + list[k + 1][c] * f;
  }
  return out;
}

export const maps = Object.fromEntries(Object.keys(anchors).map((name) => [name, palette(name, 256)]));

// range of values that share a colour bar. signed says that there are both signs.
export function range(arrays) {
  let low = Infinity, high = -Infinity;
  for (const a of arrays) for (const v of a) { if (v < low) low = v; if (v > high) high = v; }
  if (!(low <= high)) return { low: 0, high: 1, signed: false };
  if (Math.abs(low) < 1e-3 * high) low = 0; // rounding
  const signed = low < -0.05 * (high - low) && high > 0.05 * (high - low);
  if (low === high) { const d = Math.abs(low) || 1; return { low: low - 0.5 * d, high: high + 0.5 * d, signed: false }; }
  return { low, high, signed };
}

// coloured gives a range its map: name, or for 'auto' viridis, and blue-red for both signs.
// The middle of blue-red is 0 where there are both signs.
export function coloured(r, name) {
  const map = name === 'auto' ? (r.signed ? 'coolwarm' : 'viridis') : name, m = Math.max(-r.low, r.high);
  return map === 'coolwarm' && r.signed ? { low: -m, high: m, map } : { low: r.low, high: r.high, map };
}

// short writes a number for a colour bar.
export function short(v) {
  if (v === 0) return '0';
  const a = Math.abs(v);
  return a >= 1e4 || a < 1e-3 ? v.toExponential(1) : String(Number(v.toPrecision(3)));
}
