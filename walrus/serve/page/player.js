// The result: pictures of a step, scrubbing, playing, the curve.
import { field, bar, clear, plane, range, short, chart } from './draw.js';

const el = (id) => document.getElementById(id);
const calm = window.matchMedia('(prefers-reduced-motion: reduce)');

export class Player {
  constructor() {
    this.reset();
    el('scrub').addEventListener('input', () => { this.stop(); this.follow = false; this.show(Number(el('scrub').value)); });
    el('play').addEventListener('click', () => this.toggle());
    el('shown').addEventListener('change', () => { this.ranges = null; this.show(this.step); });
    el('slice').addEventListener('input', () => this.show(this.step));
    window.addEventListener('resize', () => this.curve());
    window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.curve());
  }

  reset() {
    this.stop();
    Object.assign(this, { frames: new Map(), head: null, step: 0, last: 0, follow: !calm.matches, ranges: null });
    for (const id of ['truth', 'forecast', 'difference']) clear(el(id));
    el('numbers').replaceChildren();
    el('scrub').disabled = el('play').disabled = el('shown').disabled = true;
  }

  // begin takes the record "start".
  begin(head) {
    this.head = head;
    this.points = head.grid.reduce((a, b) => a * b, 1);
    const old = el('shown').value;
    el('shown').replaceChildren(...head.channels.map((c, i) => new Option(c, i)));
    if (Number(old) < head.channels.length) el('shown').value = old || '0';
    el('truthfigure').hidden = el('errorfigure').hidden = el('scores').hidden = !head.truth;
    el('shownrow').hidden = false;
    el('scrub').min = 0; el('scrub').max = 0;
    el('scrub').disabled = el('play').disabled = el('shown').disabled = false;
  }

  select(channel) { if (channel < el('shown').options.length) el('shown').value = channel; }

  // add takes a frame; history has steps up to 0.
  add(step, frame) {
    this.frames.set(step, frame);
    this.ranges = null;
    this.last = Math.max(step, this.last);
    el('scrub').min = Math.min(step, Number(el('scrub').min));
    el('scrub').max = this.last;
    if (frame.vrmse) this.row(step);
    if (this.follow && !this.timer) this.show(this.last); else this.curve();
  }

  row(step) {
    const f = this.frames.get(step), c = Number(el('shown').value), tr = document.createElement('tr');
    for (const text of [step, f.vrmse[c].toFixed(3), f.persistence[c].toFixed(3)]) tr.append(Object.assign(document.createElement('td'), { textContent: text }));
    el('numbers').append(tr);
  }

  part(values) { const c = Number(el('shown').value); return values && values.subarray(c * this.points, (c + 1) * this.points); }

  // colours are those of the truth, or of the forecast where there is none, so that a
  // forecast that is lost does not take the contrast from the rest.
  colours() {
    if (this.ranges) return this.ranges;
    const all = [...this.frames.values()], known = all.map((f) => this.part(f.truth || f.values)).filter(Boolean);
    const r = range(known.length ? known : all.map((f) => this.part(f.forecast)));
    const span = r.map === 'coolwarm' ? r.high : (r.high - r.low) / 2;
    this.ranges = { fields: r, difference: { low: -span, high: span, map: 'coolwarm' } };
    return this.ranges;
  }

  show(step) {
    if (!this.head || !this.frames.has(step)) return;
    this.step = step;
    const f = this.frames.get(step), grid = this.head.grid, colours = this.colours(), past = step < 1;
    const slice = grid.length > 2 ? Math.min(Number(el('slice').value), grid[2] - 1) : 0;
    const truth = this.part(past ? f.values : f.truth), forecast = this.part(past ? f.values : f.forecast);
    this.picture('truth', truth, colours.fields, slice, past ? 'History' : 'Truth');
    this.picture('forecast', forecast, colours.fields, slice, past ? 'History' : 'Forecast');
    this.picture('difference', truth && forecast && forecast.map((v, i) => v - truth[i]), colours.difference, slice, 'Forecast minus truth');
    el('forecastcaption').textContent = past ? 'Forecast (here: the history it was given)' : 'Forecast';
    el('scrub').value = step;
    const time = this.head.interval ? `, time ${short(step * this.head.interval)}` : '';
    el('at').textContent = past ? `${step} (history)` : `${step} of ${this.head.steps}${time}`;
    el('scrub').setAttribute('aria-valuetext', past ? `history, step ${step}` : `step ${step} of ${this.head.steps}`);
    this.curve();
  }

  picture(id, values, r, slice, name) {
    const canvas = el(id);
    bar(el(`${id}bar`), el(`${id}high`), el(`${id}low`), r);
    if (!values) { clear(canvas); canvas.setAttribute('aria-label', `${name}: none`); return; }
    field(canvas, plane(values, this.head.grid, slice), this.head.grid, r);
    let low = Infinity, high = -Infinity;
    for (const v of values) { low = Math.min(low, v); high = Math.max(high, v); }
    canvas.setAttribute('aria-label', `${name} of ${this.head.channels[Number(el('shown').value)]}, step ${this.step}: values from ${short(low)} to ${short(high)}`);
  }

  // curve draws the scores of the chosen channel.
  curve() {
    if (!this.head || !this.head.truth) return;
    const c = Number(el('shown').value), model = [], same = [];
    for (let s = 1; this.frames.has(s) && this.frames.get(s).vrmse; s++) {
      model.push(this.frames.get(s).vrmse[c]); same.push(this.frames.get(s).persistence[c]);
    }
    const name = this.head.channels[c];
    el('charthead').textContent = `VRMSE of ${name}`;
    chart(el('chart'), [{ values: same, colour: '--second', dash: [7, 5] }, { values: model, colour: '--accent', dash: [] }], this.head.steps, this.step);
    const n = model.length;
    el('chart').setAttribute('aria-label', n ? `VRMSE of ${name} over ${n} steps: ${model[0].toFixed(3)} at step 1, ${model[n - 1].toFixed(3)} at step ${n}; the last frame repeated has ${same[n - 1].toFixed(3)}` : 'VRMSE over steps: nothing yet');
    if (el('numbers').dataset.channel !== String(c)) {
      el('numbers').dataset.channel = c;
      el('numbers').replaceChildren();
      for (let s = 1; s <= n; s++) this.row(s);
    }
  }

  toggle() {
    if (this.timer) { this.stop(); this.follow = false; return; }
    if (this.follow && this.busy) { this.follow = false; this.label(); return; }
    if (this.step >= this.last && !this.busy) this.show(Number(el('scrub').min));
    this.timer = setInterval(() => {
      if (this.step < this.last) this.show(this.step + 1);
      else if (!this.busy) this.stop();
    }, calm.matches ? 1000 : 200);
    this.label();
  }

  stop() { clearInterval(this.timer); this.timer = null; this.label(); }

  // running says whether frames are still coming.
  running(busy) {
    this.busy = busy;
    if (!busy && !this.timer && this.head && this.step < 1 && this.frames.has(1)) this.show(this.last);
    this.label();
  }

  label() { el('play').textContent = this.timer || this.busy && this.follow ? 'Pause' : 'Play'; }
}
