// The curves of scores.
import { short } from './colour.js';

const left = 44, gap = 16;

// ticks returns round numbers from 0 to top.
function ticks(top) {
  const raw = top / 4, unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= raw);
  const out = [];
  for (let v = 0; v <= top * 1.0001; v += step) out.push(v);
  return out;
}

// stepAt is the step at a pointer over a chart of so many steps.
export function stepAt(canvas, e, steps) {
  const b = canvas.getBoundingClientRect(), f = (e.clientX - b.left - left) / (b.width - left - gap);
  return Math.max(1, Math.min(steps, Math.round(1 + f * (steps - 1))));
}

// chart draws curves of scores: [{values, colour, dash}], all over the steps 1, 2, ….
export function chart(canvas, curves, steps, at) {
  const css = getComputedStyle(document.body), scale = window.devicePixelRatio || 1;
  const w = canvas.clientWidth, h = canvas.clientHeight;
  canvas.width = w * scale; canvas.height = h * scale;
  const g = canvas.getContext('2d');
  g.scale(scale, scale);
  const right = w - gap, top = 8, bottom = h - 40;
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
  const marks = new Set(steps < 6 ? Array.from({ length: steps }, (_, i) => i + 1) : ticks(steps).map((v) => Math.max(1, Math.round(v))));
  for (const s of marks) g.fillText(s, x(s), bottom + 6);
  g.fillText('step', (left + right) / 2, bottom + 22);
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
