// How pictures are shown: colours, rendering and, of volumes, the slice or the projection.
// The painting and the forecast share these settings.
import { coloured } from './colour.js';
import { cut } from './draw.js';

const el = (id) => document.getElementById(id);
const names = ['x', 'y', 'z'];

export class View {
  constructor() {
    this.listeners = [];
    this.axis = 2;
    this.at = [0, 0, 0];
    this.size = [1, 1, 1];
    for (const id of ['map', 'smooth', 'mode']) el(id).addEventListener('change', () => this.changed());
    for (const id of ['axis', 'paintaxis']) el(id).addEventListener('change', () => { this.axis = Number(el(id).value); this.changed(); });
    for (const id of ['slice', 'paintslice']) el(id).addEventListener('input', () => { this.at[this.axis] = Number(el(id).value); this.changed(); });
    this.changed();
  }

  get map() { return el('map').value; }
  get smooth() { return el('smooth').value === 'smooth'; }
  get projects() { return el('mode').value === 'maximum'; }

  // fit sets the slices to the middle of a volume of another size.
  fit(grid) {
    if (grid.length < 3 || grid.join() === this.size.join()) return;
    this.size = grid;
    this.at = grid.map((n) => n >> 1);
    this.changed();
  }

  // set restores settings, of which those that are missing or unknown stay.
  set({ map, smooth, mode, axis, at }) {
    for (const [id, v] of [['map', map], ['smooth', smooth], ['mode', mode]]) if ([...el(id).options].some((o) => o.value === v)) el(id).value = v;
    if (names.includes(axis)) this.axis = names.indexOf(axis);
    if (Array.isArray(at) && at.length === 3) this.at = at.map((v, a) => Math.max(0, Math.min(this.size[a] - 1, Math.round(v) || 0)));
    this.changed();
  }

  get() { return { map: this.map, smooth: el('smooth').value, mode: el('mode').value, axis: names[this.axis], at: this.at }; }

  changed() {
    for (const [axis, slice, out] of [['axis', 'slice', 'sliceout'], ['paintaxis', 'paintslice', 'paintsliceout']]) {
      el(axis).value = this.axis;
      el(slice).max = this.size[this.axis] - 1;
      el(slice).value = this.at[this.axis];
      el(slice).setAttribute('aria-valuetext', `${names[this.axis]} ${this.at[this.axis]}`);
      el(out).textContent = `${this.at[this.axis]} / ${this.size[this.axis] - 1}`;
    }
    el('slice').disabled = this.projects;
    for (const f of this.listeners) f();
  }

  colours(r) { return coloured(r, this.map); }

  // slice is the cut that is painted on, cut the one that a forecast shows.
  slice(values, grid) { return cut(values, grid, this.axis, Math.min(this.at[this.axis], (grid[this.axis] || 1) - 1)); }
  cut(values, grid, signed) { return this.projects ? cut(values, grid, this.axis, null, signed) : this.slice(values, grid); }

  // place is the cell of a point of the grid in a picture, or null where the picture lacks it.
  place(point) {
    if (point.length < 3) return [point[0], point[1] || 0];
    return this.projects || point[this.axis] === this.at[this.axis] ? point.filter((_, a) => a !== this.axis) : null;
  }

  // across moves a point of a volume to the shown slice.
  across(point) { if (point.length === 3) point[this.axis] = this.at[this.axis]; }

  // describe says in words what a picture of this grid shows.
  describe(grid, signed) {
    if (grid.length < 3) return '';
    const a = names[this.axis];
    return this.projects ? `${signed ? 'largest magnitude' : 'maximum'} along ${a}` : `slice at ${a} ${this.at[this.axis]}`;
  }
}

// directions names the axes of a cut.
export const directions = (axes) => `${names[axes[0]]} to the right, ${names[axes[1]]} up`;
