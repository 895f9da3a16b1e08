// The forecast as files: an animation, and arrays for NumPy.
import { palette, range } from './colour.js';
import { factor, indices } from './draw.js';
import { gif } from './gif.js';

// npy returns frames as a file of NumPy (version 1.0, little-endian float32) of a shape.
export function npy(frames, shape) {
  const head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const length = Math.ceil((10 + head.length + 1) / 64) * 64 - 10;
  const start = new Uint8Array(10 + length).fill(32);
  start.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, length & 255, length >> 8]);
  start.set(new TextEncoder().encode(head), 10);
  start[start.length - 1] = 10;
  return new Blob([start, ...frames], { type: 'application/octet-stream' });
}

// save hands a file to the browser.
export function save(blob, name) {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// Of the 256 colours of an animation some are greys, for its captions.
const colours = 224, greys = 256 - colours;

// caption writes text into indices of width, from the top.
function caption(index, width, height, texts) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height }), g = canvas.getContext('2d');
  g.fillStyle = '#fff'; g.fillRect(0, 0, width, height);
  g.fillStyle = '#000'; g.font = '14px system-ui, sans-serif'; g.textBaseline = 'middle';
  for (const { text, x, room } of texts) g.fillText(text, x, height / 2, room);
  const { data } = g.getImageData(0, 0, width, height);
  for (let p = 0; p < width * height; p++) index[p] = colours + Math.round(data[4 * p] / 255 * (greys - 1));
}

// animate returns an animation of panels: [{name, frames: [cut]}], whose frames go side by
// side under captions. titles has one text for each frame. r has the colours.
export function animate({ panels, titles, r, smooth, delay }, progress) {
  const shape = panels[0].frames[0].shape, k = factor(shape, 256), gap = 8, head = 24;
  const w = shape[0] * k, h = shape[1] * k, width = Math.max(w * panels.length + gap * (panels.length - 1), 160), height = h + 2 * head;
  const map = palette(r.map, colours), all = new Uint8Array(768);
  all.set(map);
  for (let i = 0; i < greys; i++) all.fill(255 * i / (greys - 1), 3 * (colours + i), 3 * (colours + i) + 3);
  function* frames() {
    for (let t = 0; t < titles.length; t++) {
      const out = new Uint8Array(width * height).fill(255);
      caption(out.subarray(0, width * head), width, head, panels.map((p, i) => ({ text: p.name, x: i * (w + gap) + 4, room: w - 8 })));
      panels.forEach((p, i) => {
        const picture = indices(p.frames[t].values, shape, r, k, smooth, colours);
        for (let y = 0; y < h; y++) out.set(picture.index.subarray(y * w, (y + 1) * w), (head + y) * width + i * (w + gap));
      });
      caption(out.subarray(width * (head + h)), width, head, [{ text: titles[t], x: 4, room: width - 8 }]);
      yield out;
    }
  }
  return gif({ width, height, palette: all, frames: frames(), count: titles.length, delay }, progress);
}

// rangeOf is the range of cuts.
export const rangeOf = (cuts) => range(cuts.map((c) => c.values));
