// Painting on a channel of the initial state, with pointer or keys.
import { field, bar, plane, range, short } from './draw.js';

const el = (id) => document.getElementById(id);

export class Painter {
  constructor(changed) {
    this.changed = changed;
    this.canvas = el('paint');
    this.frame = null; // all channels, [C·points]
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
    el('slice').addEventListener('input', () => this.draw());
    for (const id of ['value', 'radius']) el(id).addEventListener('input', () => this.tell());
  }

  // load takes a fresh state: channels with free, low, high.
  load(frame, grid, channels) {
    const same = this.channels && this.channels.map((c) => c.channel).join() === channels.map((c) => c.channel).join();
    Object.assign(this, { frame, grid, channels, original: frame.slice(), undoable: [], painted: false, cursor: null });
    this.points = grid.reduce((a, b) => a * b, 1);
    if (!same) {
      el('channel').replaceChildren(...channels.map((c, i) => new Option(c.free ? c.channel : `${c.channel} (follows from the others)`, i)));
    }
    el('slicerow').hidden = grid.length < 3;
    if (grid.length > 2) { el('slice').max = grid[2] - 1; if (!same) el('slice').value = grid[2] >> 1; }
    this.choose(same);
  }

  index() { return Number(el('channel').value) || 0; }
  slice() { return this.grid.length > 2 ? Number(el('slice').value) : 0; }
  channel() { const i = this.index(); return this.frame.subarray(i * this.points, (i + 1) * this.points); }

  // choose sets the brush up for a channel.
  choose(keep) {
    const c = this.channels[this.index()], v = el('value');
    const old = v.value;
    let { low, high } = c;
    if (low === high) { low = Math.max(c.least, low - 1); high = Math.min(c.most, high + 1); }
    v.min = low; v.max = high; v.step = 'any';
    v.value = keep === true ? old : high;
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
    const c = this.channels[this.index()], values = plane(this.channel(), this.grid, this.slice());
    const r = range([this.channel(), [c.low, c.high]]);
    field(this.canvas, values, this.grid, r);
    bar(el('paintbar'), el('painthigh'), el('paintlow'), r);
    el('sliceout').textContent = this.slice();
    el('undo').disabled = this.undoable.length === 0;
    el('reset').disabled = !this.painted;
    this.canvas.setAttribute('aria-label', `Initial state, channel ${c.channel}, grid ${this.grid.join(' by ')}${c.free ? '' : ', which follows from the others and cannot be painted'}`);
    if (this.cursor) {
      const g = this.canvas.getContext('2d'), y = this.grid[1] - 1 - this.cursor[1];
      g.fillStyle = '#fff'; g.fillRect(this.cursor[0], y, 1, 1);
      g.strokeStyle = '#000'; g.lineWidth = 0.5; g.strokeRect(this.cursor[0] - 0.75, y - 0.75, 2.5, 2.5);
    }
  }

  // cell of an event.
  cell(e) {
    const b = this.canvas.getBoundingClientRect(), s = getComputedStyle(this.canvas), edge = parseFloat(s.borderLeftWidth);
    const w = b.width - 2 * edge, h = b.height - 2 * edge;
    return [(e.clientX - b.left - edge) / w * this.grid[0] - 0.5, this.grid[1] - 0.5 - (e.clientY - b.top - edge) / h * this.grid[1]];
  }

  down(e) {
    if (!this.frame || e.button) return;
    this.canvas.setPointerCapture(e.pointerId);
    this.keep();
    this.last = this.cell(e);
    this.dab(...this.last);
  }

  move(e) {
    if (!this.last) return;
    const to = this.cell(e), from = this.last, n = Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) * 2);
    for (let i = 1; i <= n; i++) this.stamp(from[0] + (to[0] - from[0]) * i / n, from[1] + (to[1] - from[1]) * i / n);
    this.last = to;
    this.done();
  }

  key(e) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
    if (!this.frame || !step && e.key !== ' ') return;
    e.preventDefault();
    this.cursor ||= [this.grid[0] >> 1, this.grid[1] >> 1];
    if (step) {
      this.cursor = this.cursor.map((v, a) => Math.max(0, Math.min(this.grid[a] - 1, v + step[a])));
      this.draw();
      return;
    }
    this.keep();
    this.dab(...this.cursor);
  }

  keep() {
    this.undoable.push({ frame: this.frame.slice(), painted: this.painted });
    if (this.undoable.length > 20) this.undoable.shift();
  }

  dab(x, y) { this.stamp(x, y); this.done(); }

  // stamp draws the field towards the value of the brush, less so further away.
  stamp(x, y) {
    if (!this.channels[this.index()].free) { this.undoable.pop(); this.last = null; return; }
    const r = Number(el('radius').value), to = Number(el('value').value), values = this.channel(), g = this.grid, nz = g[2] || 1;
    for (let i = Math.max(0, Math.floor(x - 2 * r)); i <= Math.min(g[0] - 1, x + 2 * r); i++) {
      for (let j = Math.max(0, Math.floor(y - 2 * r)); j <= Math.min(g[1] - 1, y + 2 * r); j++) {
        for (let k = 0; k < nz; k++) {
          const d2 = (i - x) ** 2 + (j - y) ** 2 + (nz > 1 ? (k - this.slice()) ** 2 : 0), p = (i * g[1] + j) * nz + k;
          values[p] += (to - values[p]) * Math.exp(-d2 / (r * r));
        }
      }
    }
    this.painted = true;
  }

  done() { this.draw(); this.changed(); }

  undo() {
    const back = this.undoable.pop();
    if (back) { this.frame = back.frame; this.painted = back.painted; this.done(); }
  }

  reset() { this.frame = this.original.slice(); this.undoable = []; this.painted = false; this.done(); }
}
