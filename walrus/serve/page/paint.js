// Painting on a channel of the initial state, with pointer or keys.
import { range, short } from './colour.js';
import { bar, cell, field } from './draw.js';

const el = (id) => document.getElementById(id);

export class Painter {
  constructor(view, changed) {
    this.view = view;
    this.changed = changed;
    this.canvas = el('paint');
    this.frame = null; // all channels, [C·points]
    this.stamps = []; // what was painted: {c, p, v, r}
    this.undoable = [];
    this.cursor = null;
    this.canvas.addEventListener('pointerdown', (e) => this.down(e));
    this.canvas.addEventListener('pointermove', (e) => this.move(e));
    for (const end of ['pointerup', 'pointercancel']) this.canvas.addEventListener(end, () => { this.last = null; });
    this.canvas.addEventListener('keydown', (e) => this.key(e));
    this.canvas.addEventListener('blur', () => { this.cursor = null; this.draw(); });
    el('undo').addEventListener('click', () => this.undo());
    el('reset').addEventListener('click', () => this.reset());
    el('channel').addEventListener('change', () => this.choose());
    for (const id of ['value', 'radius']) el(id).addEventListener('input', () => this.tell());
    view.listeners.push(() => { this.cursor = null; this.draw(); });
  }

  // load takes a fresh state: channels with free, low, high.
  load(frame, grid, channels) {
    const same = this.channels && this.channels.map((c) => c.channel).join() === channels.map((c) => c.channel).join();
    Object.assign(this, { frame, grid, channels, original: frame.slice(), stamps: [], undoable: [], cursor: null });
    this.points = grid.reduce((a, b) => a * b, 1);
    if (!same) {
      el('channel').replaceChildren(...channels.map((c, i) => new Option(c.free ? c.channel : `${c.channel} (follows from the others)`, i)));
    }
    el('paintslicerow').hidden = grid.length < 3;
    this.view.fit(grid);
    this.choose(same);
  }

  get painted() { return this.stamps.length > 0; }
  index() { return Number(el('channel').value) || 0; }
  channel(i = this.index()) { return this.frame.subarray(i * this.points, (i + 1) * this.points); }

  // choose sets the brush up for a channel.
  choose(keep) {
    const c = this.channels[this.index()], v = el('value');
    const old = v.value;
    let { low, high } = c;
    if (low === high) { low = Math.max(c.least, low - 1); high = Math.min(c.most, high + 1); }
    // Browsers compare the ends of a range as texts of limited length.
    v.min = Number(low.toPrecision(4)); v.max = Number(high.toPrecision(4)); v.step = 'any';
    v.value = keep === true ? old : v.max;
    el('radius').max = Math.max(2, Math.round(Math.min(this.grid[0], this.grid[1]) / 4));
    this.tell();
    this.draw();
  }

  tell() {
    el('valueout').textContent = short(Number(el('value').value));
    el('radiusout').textContent = `${el('radius').value} cells`;
  }

  draw() {
    if (!this.frame) return;
    const c = this.channels[this.index()], r = this.view.colours(range([this.channel(), [c.low, c.high]]));
    this.shown = this.view.slice(this.channel(), this.grid);
    field(this.canvas, this.shown, r, this.view.smooth, this.cursor);
    bar(el('paintbar'), el('painthigh'), el('paintlow'), r);
    el('undo').disabled = this.undoable.length === 0;
    el('reset').disabled = !this.painted;
    this.canvas.setAttribute('aria-label', `Initial state, channel ${c.channel}, grid ${this.grid.join(' by ')}${c.free ? '' : ', which follows from the others and cannot be painted'}`);
  }

  down(e) {
    if (!this.frame || e.button) return;
    this.canvas.setPointerCapture(e.pointerId);
    this.keep();
    this.last = cell(this.canvas, e, this.shown.shape);
    this.dab(...this.last);
  }

  move(e) {
    if (!this.last) return;
    const to = cell(this.canvas, e, this.shown.shape), from = this.last, n = Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]));
    if (!n) return;
    for (let i = 1; i <= n; i++) this.brush(from[0] + (to[0] - from[0]) * i / n, from[1] + (to[1] - from[1]) * i / n);
    this.last = to;
    this.done();
  }

  key(e) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
    if (!this.frame || !step && e.key !== ' ') return;
    e.preventDefault();
    this.cursor ||= this.shown.shape.map((n) => n >> 1);
    if (step) {
      this.cursor = this.cursor.map((v, a) => Math.max(0, Math.min(this.shown.shape[a] - 1, v + step[a])));
      this.draw();
      return;
    }
    this.keep();
    this.dab(...this.cursor);
  }

  keep() {
    this.undoable.push({ frame: this.frame.slice(), stamps: this.stamps.length });
    if (this.undoable.length > 20) this.undoable.shift();
  }

  dab(x, y) { this.brush(x, y); this.done(); }

  // brush stamps at a place of the picture. Places and values are rounded, so that a link
  // repeats them.
  brush(x, y) {
    const c = this.index();
    if (!this.channels[c].free) { this.undoable.pop(); this.last = null; return; }
    const p = this.grid.map((_, a) => this.view.at[a] || 0);
    p[this.shown.axes[0]] = Math.round(x * 4) / 4;
    p[this.shown.axes[1]] = Math.round(y * 4) / 4;
    this.stamp({ c, p, v: Number(Number(el('value').value).toPrecision(4)), r: Number(el('radius').value) });
  }

  // stamp draws the field towards the value of the brush, less so further away.
  stamp(s) {
    this.stamps.push(s);
    const g = this.grid, nz = g[2] || 1, z = s.p[2] || 0, values = this.channel(s.c), near = 2 * s.r;
    const from = (a, x) => Math.max(0, Math.floor(x - near)), to = (a, x) => Math.min((g[a] || 1) - 1, x + near);
    for (let i = from(0, s.p[0]); i <= to(0, s.p[0]); i++) for (let j = from(1, s.p[1]); j <= to(1, s.p[1]); j++) for (let k = from(2, z); k <= to(2, z); k++) {
      const q = (i * g[1] + j) * nz + k, d2 = (i - s.p[0]) ** 2 + (j - s.p[1]) ** 2 + (k - z) ** 2;
      values[q] += (s.v - values[q]) * Math.exp(-d2 / (s.r * s.r));
    }
  }

  // replay paints the stamps of a link.
  replay(stamps) {
    const fit = (s) => this.channels[s.c] && this.channels[s.c].free && s.p.length === this.grid.length && s.r > 0 && s.r < 1000 && [s.v, ...s.p].every(Number.isFinite);
    this.keep();
    for (const s of stamps.filter(fit)) this.stamp(s);
    this.done();
  }

  done() { this.draw(); this.changed(); }

  undo() {
    const back = this.undoable.pop();
    if (back) { this.frame = back.frame; this.stamps.length = back.stamps; this.done(); }
  }

  reset() { this.frame = this.original.slice(); this.undoable = []; this.stamps = []; this.done(); }
}
