// Curves and bands over steps.
import { short } from './colour.js';

const left = 52, gap = 16;

// ticks returns round numbers from low to high and their texts.
function ticks(low, high) {
  const raw = (high - low) / 4, unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= raw * 0.9999);
  const out = [];
  for (let i = Math.ceil(low / step - 1e-4); i * step <= high + 1e-4 * step; i++) out.push({ value: i * step, text: text(i * step, step) });
  return out;
}

// text writes a multiple of a step with the digits that tell it from the next.
function text(v, step) {
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return digits > 5 || Math.abs(v) >= 1e5 ? short(v) : String(Number(v.toFixed(digits)));
}

// stepAt is the step at a pointer over a chart of the steps first to last.
export function stepAt(canvas, e, first, last) {
  const b = canvas.getBoundingClientRect(), f = (e.clientX - b.left - left) / (b.width - left - gap);
  return Math.max(first, Math.min(last, Math.round(first + f * (last - first))));
}

// chart draws {from, values, colour, dash}, a curve of the steps from "from", and
// {from, lower, upper, colour}, the band between two curves. Values beyond low and high are
// drawn at the edge. The step at is marked.
export function chart(canvas, curves, { first = 1, last, at, low = 0, high }) {
  const css = getComputedStyle(document.body), scale = window.devicePixelRatio || 1;
  const w = canvas.clientWidth, h = canvas.clientHeight;
  canvas.width = w * scale; canvas.height = h * scale;
  const g = canvas.getContext('2d');
  g.scale(scale, scale);
  const right = w - gap, top = 8, bottom = h - 40;
  const x = (s) => left + (last <= first ? 0 : (right - left) * (s - first) / (last - first));
  const y = (v) => bottom - (bottom - top) * (Math.max(low, Math.min(v, high)) - low) / (high - low);
  g.font = '12px system-ui, sans-serif';
  g.fillStyle = css.getPropertyValue('--soft'); g.strokeStyle = css.getPropertyValue('--line'); g.lineWidth = 1;
  g.textAlign = 'right'; g.textBaseline = 'middle';
  for (const t of ticks(low, high)) {
    g.globalAlpha = 0.35; line(g, left, y(t.value), right, y(t.value)); g.globalAlpha = 1;
    g.fillText(t.text, left - 6, y(t.value));
  }
  g.textAlign = 'center'; g.textBaseline = 'top';
  const marks = new Set(last - first < 6 ? Array.from({ length: last - first + 1 }, (_, i) => first + i) : [first, ...ticks(first, last).map((t) => Math.round(t.value))].filter((s) => s === first || s - first >= (last - first) / 6));
  for (const s of marks) g.fillText(s, x(s), bottom + 6);
  g.fillText('step', (left + right) / 2, bottom + 22);
  if (at >= first) { g.setLineDash([2, 3]); line(g, x(at), top, x(at), bottom); g.setLineDash([]); }
  for (const { from = 1, values, lower, upper, colour, dash = [] } of curves) {
    g.strokeStyle = css.getPropertyValue(colour); g.fillStyle = g.strokeStyle; g.lineWidth = 2.5; g.setLineDash(dash);
    g.beginPath();
    (values || upper).forEach((v, i) => { if (i) g.lineTo(x(from + i), y(v)); else g.moveTo(x(from), y(v)); });
    if (values) g.stroke(); else band(g, lower, (i) => x(from + i), y);
    g.setLineDash([]);
    if (values && at >= from && at < from + values.length) { g.beginPath(); g.arc(x(at), y(values[at - from]), 4, 0, 7); g.fill(); }
  }
}

// band closes the path along an upper edge with the lower one, and fills it. The edges of a
// single step are joined by a line.
function band(g, lower, x, y) {
  for (let i = lower.length - 1; i >= 0; i--) g.lineTo(x(i), y(lower[i]));
  g.globalAlpha = 0.25; g.fill();
  if (lower.length === 1) g.stroke();
  g.globalAlpha = 1;
}

function line(g, x1, y1, x2, y2) { g.beginPath(); g.moveTo(x1, y1); g.lineTo(x2, y2); g.stroke(); }
