// The result: pictures of a step, scrubbing, playing, the curve.
import { chart, stepAt } from './chart.js';
import { range, short } from './colour.js';
import { bar, cell, clear, field } from './draw.js';
import { animate, npy, save } from './save.js';
import { course, draw, explain } from './series.js';
import { directions } from './view.js';

const el = (id) => document.getElementById(id);
const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
const pictures = ['truth', 'forecast', 'difference', 'spread'], charts = ['chart', 'course'];

export class Player {
  constructor(view) {
    this.view = view;
    this.reset();
    el('scrub').addEventListener('input', () => { this.stop(); this.follow = false; this.show(Number(el('scrub').value)); });
    el('scrub').addEventListener('keydown', (e) => { if (e.key === ' ') { e.preventDefault(); this.toggle(); } });
    el('play').addEventListener('click', () => this.toggle());
    el('speed').addEventListener('change', () => { if (this.timer) { this.stop(); this.toggle(); } });
    el('shown').addEventListener('change', () => { this.ranges = null; this.show(this.step); });
    for (const id of charts) {
      el(id).addEventListener('pointerdown', (e) => {
        if (!this.head) return;
        this.stop();
        this.follow = false;
        this.show(Math.min(stepAt(el(id), e, id === 'course' ? Number(el('scrub').min) : 1, this.head.steps), this.last));
      });
    }
    for (const id of pictures) {
      el(id).addEventListener('pointermove', (e) => { if (this.shape) this.probe(cell(el(id), e, this.shape).map(Math.round)); });
      el(id).addEventListener('pointerleave', () => this.probe(null));
      el(id).addEventListener('click', (e) => { if (this.shape) this.pick(cell(el(id), e, this.shape).map(Math.round)); });
    }
    el('forecast').addEventListener('keydown', (e) => this.key(e));
    el('forecast').addEventListener('blur', () => this.probe(null));
    view.listeners.push(() => { this.mark = null; this.show(this.step); });
    window.addEventListener('resize', () => this.curves());
    window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.curves());
  }

  reset() {
    this.stop();
    Object.assign(this, { frames: new Map(), head: null, step: 0, last: 0, follow: !calm.matches, ranges: null, mark: null, point: null, shape: null });
    for (const id of pictures) clear(el(id));
    el('numbers').replaceChildren();
    el('advice').hidden = el('figures').hidden = el('player').hidden = el('series').hidden = el('scores').hidden = el('viewrow').hidden = el('volumerow').hidden = el('saverow').hidden = true;
    el('nothing').hidden = false;
    this.ready(false);
  }

  // begin takes the record "start".
  begin(head) {
    this.head = head;
    this.points = head.grid.reduce((a, b) => a * b, 1);
    const old = el('shown').value;
    el('shown').replaceChildren(...head.channels.map((c, i) => new Option(c, i)));
    if (Number(old) < head.channels.length) el('shown').value = old || '0';
    el('truthfigure').hidden = el('errorfigure').hidden = el('scores').hidden = !head.truth;
    el('spreadfigure').hidden = !head.members;
    el('figures').hidden = el('player').hidden = el('series').hidden = el('viewrow').hidden = el('saverow').hidden = false;
    el('volumerow').hidden = head.grid.length < 3;
    el('savetruth').hidden = !head.truth;
    el('nothing').hidden = true;
    el('scrub').min = 0; el('scrub').max = 0;
    this.point = head.grid.map((n) => n >> 1);
    this.warn(head.advice || []);
    this.view.fit(head.grid);
  }

  // warn lists what the network was not trained for.
  warn(advice) {
    el('advice').hidden = !advice.length;
    el('advice').lastElementChild.replaceChildren(...advice.map(({ text }) => Object.assign(document.createElement('li'), { textContent: text })));
  }

  // band tells the interval of a point of a picture, if the step has one.
  band(q) {
    const f = this.frames.get(this.step), grid = this.head.grid, { signed } = this.colours().fields;
    if (!f.lower) return '';
    const [low, high] = [f.lower, f.upper].map((v) => this.view.cut(this.part(v), grid, signed).values[q]);
    return `, ${Math.round(100 * f.level)} % between ${short(low)} and ${short(high)}`;
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
    if (this.follow && !this.timer) this.show(this.last); else this.curves();
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
    const r = range(known.length ? known : all.map((f) => this.part(f.forecast))), span = r.signed ? Math.max(-r.low, r.high) : (r.high - r.low) / 2;
    const spread = range([[0], ...all.map((f) => this.half(f) || [])]);
    this.ranges = { fields: r, difference: { low: -span, high: span, map: 'coolwarm' }, spread: { ...spread, map: 'magma' } };
    return this.ranges;
  }

  // half is half the width of a frame's interval.
  half(f) { const low = this.part(f.lower); return low && this.part(f.upper).map((v, i) => (v - low[i]) / 2); }

  // cuts returns the pictures of a step, of which some may be undefined.
  cuts(step) {
    const f = this.frames.get(step), grid = this.head.grid, { signed } = this.colours().fields;
    const truth = this.part(step < 1 ? f.values : f.truth), forecast = this.part(step < 1 ? f.values : f.forecast);
    const cut = (v, s) => v && this.view.cut(v, grid, s);
    return { truth: cut(truth, signed), forecast: cut(forecast, signed), difference: cut(truth && forecast && forecast.map((v, i) => v - truth[i]), true), spread: cut(this.half(f), false) };
  }

  show(step) {
    if (!this.head || !this.frames.has(step)) return;
    this.step = step;
    const cuts = this.cuts(step), colours = this.colours(), past = step < 1, r = this.view.colours(colours.fields);
    this.current = cuts;
    this.shape = cuts.forecast.shape;
    this.picture('truth', cuts.truth, r, past ? 'History' : 'Truth');
    this.picture('forecast', cuts.forecast, r, past ? 'History' : 'Forecast');
    this.picture('difference', cuts.difference, colours.difference, 'Forecast minus truth');
    this.picture('spread', cuts.spread, colours.spread, 'Spread of the members');
    el('forecastcaption').textContent = past ? 'History' : 'Forecast';
    el('truthcaption').textContent = past ? 'History' : 'Truth (solver)';
    const where = this.view.describe(this.head.grid, colours.fields.signed);
    el('directions').textContent = `${directions(cuts.forecast.axes)}${where ? `; ${where}` : ''}`;
    el('scrub').value = step;
    const time = this.head.interval ? `, time ${short(step * this.head.interval)}` : '';
    el('at').textContent = past ? `${step} (history)` : `${step} of ${this.head.steps}${time}`;
    el('scrub').setAttribute('aria-valuetext', past ? `history, step ${step}` : `step ${step} of ${this.head.steps}`);
    this.tell();
    this.curves();
  }

  picture(id, cut, r, name) {
    const canvas = el(id);
    bar(el(`${id}bar`), el(`${id}high`), el(`${id}low`), r);
    if (!cut) { clear(canvas); canvas.setAttribute('aria-label', `${name}: none`); return; }
    field(canvas, cut, r, this.view.smooth, this.mark, this.view.place(this.point));
    let low = Infinity, high = -Infinity;
    for (const v of cut.values) { low = Math.min(low, v); high = Math.max(high, v); }
    canvas.setAttribute('aria-label', `${name} of ${this.channel()}, step ${this.step}: values from ${short(low)} to ${short(high)}`);
  }

  channel() { return this.head.channels[Number(el('shown').value)]; }

  // probe points out a cell, or none, and tells its values.
  probe(at) {
    if (!this.head || !this.shape) return;
    this.mark = at && at.map((v, a) => Math.max(0, Math.min(this.shape[a] - 1, v)));
    this.show(this.step);
  }

  tell() {
    if (!this.mark) { el('probe').textContent = 'Point at a picture to read its values.'; return; }
    const { axes, shape } = this.current.forecast, q = this.mark[0] * shape[1] + this.mark[1];
    const place = this.mark.map((v, a) => `${'xyz'[axes[a]]} ${v}`).join(', '), past = this.step < 1;
    const parts = [[past ? 'history' : 'forecast', 'forecast'], ...(past ? [] : [['truth', 'truth'], ['difference', 'difference']])].filter(([, id]) => this.current[id]);
    el('probe').textContent = `${this.channel()} at ${place}: ${parts.map(([name, id]) => `${name} ${short(this.current[id].values[q])}`).join(', ')}${this.band(q)}`;
  }

  // pick chooses the point of the curve, in cells of the pictures.
  pick(at) {
    this.current.forecast.axes.forEach((a, i) => { if (a < this.point.length) this.point[a] = Math.max(0, Math.min(this.shape[i] - 1, at[i])); });
    this.view.across(this.point);
    this.show(this.step);
  }

  key(e) {
    if (e.key === ' ' && this.mark) { e.preventDefault(); this.pick(this.mark); return; }
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
    if (!this.shape || !step) return;
    e.preventDefault();
    this.probe(this.mark ? this.mark.map((v, a) => v + step[a]) : this.shape.map((n) => n >> 1));
  }

  // curves draws the charts of the chosen channel.
  curves() {
    if (!this.head || !this.frames.size) return;
    this.series();
    if (this.head.truth) this.scores();
  }

  // series draws the values of the chosen point.
  series() {
    const { grid } = this.head, f = this.frames.get(this.step);
    const index = this.point.reduce((at, v, a) => at * grid[a] + v, 0), place = this.point.map((v, a) => `${'xyz'[a]} ${v}`).join(', ');
    draw(course(this.frames, Number(el('shown').value) * this.points + index), `${this.channel()} at ${place}`, this.head.steps, this.step);
    el('seriesnote').textContent = f ? explain({ level: f.level, lower: this.part(f.lower), upper: this.part(f.upper), truth: this.part(f.truth) }, this.head.members) : '';
  }

  // scores draws the VRMSE.
  scores() {
    const c = Number(el('shown').value), model = [], same = [];
    for (let s = 1; this.frames.has(s) && this.frames.get(s).vrmse; s++) {
      model.push(this.frames.get(s).vrmse[c]); same.push(this.frames.get(s).persistence[c]);
    }
    const name = this.head.channels[c];
    el('charthead').textContent = `VRMSE of ${name}`;
    const high = Math.min(Math.max(1.05, ...model, ...same), 20); // a forecast that is lost need not flatten the rest
    chart(el('chart'), [{ values: same, colour: '--second', dash: [7, 5] }, { values: model, colour: '--accent' }], { last: this.head.steps, at: this.step, high });
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
    }, this.pause());
    this.label();
  }

  // pause is the time between frames in milliseconds.
  pause() { return calm.matches ? 1000 : Number(el('speed').value); }

  stop() { clearInterval(this.timer); this.timer = null; this.label(); }

  // running says whether frames are still coming.
  running(busy) {
    this.busy = busy;
    if (!busy && !this.timer && this.head && this.step < 1 && this.frames.has(1)) this.show(this.last);
    this.ready(!busy && this.frames.has(1));
    this.label();
  }

  label() { el('play').textContent = this.timer || this.busy && this.follow ? 'Pause' : 'Play'; }

  // ready says whether there is a forecast to save.
  ready(yes) {
    for (const id of ['savegif', 'savenpy']) el(id).disabled = !yes;
    el('savetruth').disabled = !yes;
  }

  // array returns the forecast or the truth: [steps, channels, …grid].
  array(key) {
    const frames = [];
    for (let s = 1; this.frames.has(s) && this.frames.get(s)[key]; s++) frames.push(this.frames.get(s)[key]);
    return npy(frames, [frames.length, this.head.channels.length, ...this.head.grid]);
  }

  // animation returns the pictures of all steps as they are shown.
  animation(name, progress) {
    const steps = [...this.frames.keys()].sort((a, b) => a - b), all = steps.map((s) => this.cuts(s));
    const panels = [{ name: 'Forecast', frames: all.map((c) => c.forecast) }];
    if (all.every((c) => c.truth)) panels.unshift({ name: 'Truth', frames: all.map((c) => c.truth) });
    const titles = steps.map((s) => `${name}, ${this.channel()}, ${s < 1 ? `history ${s}` : `step ${s}`}`);
    return animate({ panels, titles, r: this.view.colours(this.colours().fields), smooth: this.view.smooth, delay: Math.round(Number(el('speed').value) / 10) }, progress);
  }

  // files offers the downloads under a name; say tells how far an animation is.
  files(name, say) {
    const plain = name().replace(/[^\w-]+/g, '_');
    return {
      npy: () => save(this.array('forecast'), `${plain}-forecast.npy`),
      truth: () => save(this.array('truth'), `${plain}-truth.npy`),
      gif: async () => {
        el('savegif').disabled = true;
        const n = this.frames.size;
        save(await this.animation(name(), (done) => { if (done % 5 === 0) say(`Writing the GIF: frame ${done} of ${n}.`); }), `${plain}.gif`);
        say(`The GIF has ${n} frames.`);
        el('savegif').disabled = false;
      },
    };
  }
}
