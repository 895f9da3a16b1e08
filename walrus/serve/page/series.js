// The values of one point over the steps, with the interval of the forecast.
import { range, short } from './colour.js';
import { chart } from './chart.js';

const el = (id) => document.getElementById(id);

// course returns the values of a point: curves over the history and the steps, and the band.
// frames maps steps to frames, and index is the place of the value in a frame.
export function course(frames, index) {
  const first = Math.min(...frames.keys()), out = { first, history: [], forecast: [], truth: [], lower: [], upper: [] };
  for (let s = first; frames.has(s); s++) {
    const f = frames.get(s);
    if (f.values) out.history.push(f.values[index]);
    for (const key of ['forecast', 'truth', 'lower', 'upper']) if (f[key]) out[key].push(f[key][index]);
  }
  return out;
}

// limits returns the range of a chart. Forecast and band widen the range of what is known to
// at most three times its width. It is at least a fiftieth of the values, so that rounding
// does not look like a change.
function limits({ history, forecast, truth, lower, upper }) {
  const known = range([history, truth]), all = range([history, truth, forecast, lower, upper]);
  const width = truth.length ? known.high - known.low : Infinity;
  const low = Math.max(all.low, known.low - width), high = Math.min(all.high, known.high + width);
  const rest = Math.max(0, 0.02 * Math.max(-low, high) - (high - low)) / 2;
  return { low: low - rest, high: high + rest };
}

// draw draws the course of a point up to the last step. name describes the point.
export function draw(c, name, last, at) {
  const { low, high } = limits(c), margin = 0.04 * (high - low), n = c.forecast.length;
  el('serieshead').textContent = name;
  el('bandkey').hidden = !c.upper.length;
  el('truthkey').hidden = !c.truth.length;
  const start = c.history.slice(-1), from = 1 - start.length, on = (list) => (list.length ? [...start, ...list] : []); // curves go on from the history
  chart(el('course'), [
    { from, lower: on(c.lower), upper: on(c.upper), colour: '--accent' },
    { from: c.first, values: c.history, colour: '--text', dash: [] },
    { from, values: on(c.truth), colour: '--text', dash: [7, 5] },
    { from, values: on(c.forecast), colour: '--accent' },
  ], { first: c.first, last, at, low: low - margin, high: high + margin });
  const end = n && `${short(c.forecast[n - 1])}${c.upper.length === n ? `, between ${short(c.lower[n - 1])} and ${short(c.upper[n - 1])}` : ''}`;
  el('course').setAttribute('aria-label', n ? `${name} over ${n} steps: ${short(c.forecast[0])} at step 1; ${end} at step ${n}` : `${name} over steps: nothing yet`);
}

// covered returns the part of the truth that is between two bounds.
function covered(truth, lower, upper) {
  let n = 0;
  truth.forEach((v, i) => { if (v >= lower[i] && v <= upper[i]) n++; });
  return n / truth.length;
}

// explain says what the band of a frame means, and how much of the truth is within it. lower,
// upper and truth are those of one channel.
export function explain({ level, lower, upper, truth }, members) {
  if (!lower) return '';
  const part = `${Math.round(100 * level)} %`;
  const what = members ? `The band holds the central ${part} of ${members} members. It is too narrow where the network itself errs.`
    : `The band should hold ${part} of all values, on average over runs like those of the calibration.`;
  return truth ? `${what} At this step it holds ${Math.round(100 * covered(truth, lower, upper))} % of the truth.` : what;
}
