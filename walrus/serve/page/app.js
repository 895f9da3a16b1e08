// The page: what to forecast, running it, cancelling it.
import { ask, base64, floats, get, stream } from './api.js';
import { Painter } from './paint.js';
import { Player } from './player.js';

const el = (id) => document.getElementById(id);
const player = new Player();
const painter = new Painter(() => explain());
let model, systems = [], system = null, start = null, running = null, starting = null;

const say = (text) => { el('status').textContent = text; };
function complain(error) {
  el('error').hidden = !error;
  el('error').textContent = error ? `Error: ${error.message}` : '';
}

async function load() {
  try {
    [model, { systems }] = await Promise.all([get('v1/model'), get('v1/systems')]);
  } catch (e) {
    say('The network is not there yet; trying again.');
    setTimeout(load, 1000);
    return;
  }
  say('Nothing has run yet.');
  el('model').textContent = `Network: ${model.name}, ${(model.parameters / 1e6).toFixed(1)} million parameters.`;
  el('steps').max = model.limits.steps;
  const solved = document.createElement('optgroup'), free = document.createElement('optgroup');
  solved.label = 'With a solver'; free.label = 'Without';
  for (const s of systems) {
    const o = new Option(s.unknown.length ? `${s.name} (the network does not know ${s.unknown.join(', ')})` : s.name, s.name);
    o.disabled = s.unknown.length > 0;
    solved.append(o);
  }
  free.append(new Option('Paint a field, no equations', ''));
  el('system').append(solved, free);
  el('field').append(...model.fields.map((f) => new Option(f)));
  if (model.fields.includes('concentration')) el('field').value = 'concentration';
  const first = systems.find((s) => s.name === 'acoustics' && !s.unknown.length) || systems.find((s) => !s.unknown.length);
  el('system').value = first ? first.name : '';
  choose();
}

// choose reacts to another system.
function choose() {
  system = systems.find((s) => s.name === el('system').value) || null;
  el('about').textContent = system ? `${system.title[0].toUpperCase()}${system.title.slice(1)}. ${system.equation}` : 'The network gets your picture, repeated, as the history of a field that has not moved. There is no truth to compare with.';
  el('custom').hidden = !!system;
  el('random').hidden = el('parameters').hidden = !system;
  el('inputs').replaceChildren();
  for (const p of system ? system.parameters : []) {
    const id = `p-${p.name}`, label = Object.assign(document.createElement('label'), { htmlFor: id, textContent: p.name });
    const input = Object.assign(document.createElement('input'), { id, type: 'number', step: 'any', min: p.low, max: p.high, placeholder: 'drawn' });
    input.dataset.name = p.name;
    input.setAttribute('aria-describedby', `${id}-hint`);
    input.addEventListener('change', () => begin());
    el('inputs').append(label, input, Object.assign(document.createElement('p'), { id: `${id}-hint`, className: 'hint', textContent: `${p.doc}: ${p.low} to ${p.high}; empty: drawn` }));
  }
  const list = system ? system.boundaries : ['periodic', 'periodic'];
  sides(list);
  begin();
}

// sides makes the selects for the ends of the axes.
function sides(list) {
  const box = el('boundaries');
  box.replaceChildren(...['axis', 'low end', 'high end'].map((t) => Object.assign(document.createElement('span'), { className: 'head', textContent: t })));
  list.forEach((b, axis) => {
    const [low, high = low] = b.split('/'), name = 'xyz'[axis];
    box.append(Object.assign(document.createElement('span'), { textContent: name }));
    [['low', low], ['high', high]].forEach(([end, value]) => {
      const s = document.createElement('select');
      s.id = `b-${name}-${end}`;
      s.setAttribute('aria-label', `Boundary at the ${end} end of ${name}`);
      for (const k of ['periodic', 'wall', 'open']) s.append(new Option(k));
      s.value = value;
      s.addEventListener('change', () => couple(name, end));
      box.append(s);
    });
  });
}

// couple keeps an axis periodic at both ends or at none.
function couple(name, end) {
  const me = el(`b-${name}-${end}`), other = el(`b-${name}-${end === 'low' ? 'high' : 'low'}`);
  if (me.value === 'periodic' || other.value === 'periodic') other.value = me.value;
  explain();
}

function boundaries() {
  const out = [];
  for (const name of 'xyz') {
    const low = el(`b-${name}-low`), high = el(`b-${name}-high`);
    if (low) out.push(low.value === high.value ? low.value : `${low.value}/${high.value}`);
  }
  return out;
}

// explain says what history and truth will be.
function explain() {
  const other = system && boundaries().join() !== system.boundaries.join();
  const lost = other && !system.takes_boundaries;
  el('consequence').textContent = !system ? '' : lost ? `The solver of this system only knows ${system.boundaries.join(', ')}. With these boundaries there is no truth.`
    : other ? 'The solver takes these boundaries, too: the truth goes along.' : 'Those of the system.';
  const n = model.history[system && system.grid.length === 3 ? '3d' : '2d'];
  el('history').textContent = !system || lost ? `The network sees ${n} frames: this one, repeated.`
    : `The network sees ${n} frames: ${painter.painted ? 'the solver runs on from the painted state' : 'the solver runs on from here'} to make them, and then goes on as the truth.`;
}

// begin asks for an initial state.
async function begin() {
  if (starting) starting.abort();
  complain(null);
  if (!system) {
    const n = Number(el('size').value);
    start = null;
    painter.load(new Float32Array(n * n), [n, n], [{ channel: el('field').value, free: true, low: 0, high: 1, least: -10, most: 10 }]);
    explain();
    return;
  }
  const mine = starting = new AbortController(), parameters = {};
  for (const i of el('inputs').querySelectorAll('input')) if (i.value !== '') parameters[i.dataset.name] = Number(i.value);
  el('run').disabled = true;
  try {
    const answer = await ask('v1/start', { system: system.name, seed: Number(el('seed').value), parameters }, mine.signal);
    start = { ...answer, frame: floats(answer.frame), constants: floats(answer.constants || '') };
    painter.load(start.frame.slice(), start.grid, start.ranges.slice(0, start.channels.length));
    explain();
  } catch (e) {
    if (e.name !== 'AbortError') complain(e);
  } finally {
    if (starting === mine) { starting = null; el('run').disabled = !!running; }
  }
}

// request is the body for what is set up.
function request() {
  const steps = Number(el('steps').value);
  if (!system) {
    return ['v1/forecast', { fields: [{ name: painter.channels[0].channel }], grid: painter.grid, boundaries: boundaries(), frames: [base64(painter.frame)], repeat: model.history['2d'], steps }];
  }
  const body = { system: system.name, seed: start.seed, grid: start.grid, parameters: start.parameters, boundaries: boundaries(), steps };
  if (painter.painted) {
    body.initial = base64(painter.frame);
    if (start.constants.length) body.constants = base64(start.constants);
  }
  return ['v1/simulate', body];
}

async function run(event) {
  event.preventDefault();
  if (running || !painter.frame) return;
  const mine = running = new AbortController(), [path, body] = request(), begun = performance.now();
  const channel = painter.index(), name = system ? system.name : painter.channels[0].channel;
  complain(null);
  player.reset();
  busy(true);
  say('Waiting for a worker…');
  let done = 0, ended = false;
  try {
    for await (const r of stream(path, body, mine.signal)) {
      if (r.type === 'error') throw Object.assign(new Error(r.error.message), r.error);
      if (r.type === 'start') { player.begin(r); player.select(channel); say(`Computing ${r.steps} steps…`); player.running(true); }
      if (r.type === 'history') player.add(r.step, { values: floats(r.values) });
      if (r.type === 'frame') {
        player.add(r.step, { forecast: floats(r.forecast), truth: r.truth && floats(r.truth), vrmse: r.vrmse, persistence: r.persistence });
        done = r.step;
        el('progress').value = done / body.steps;
        // Every step would be too much for who listens.
        if (done % 5 === 0 && done < body.steps) say(`Step ${done} of ${body.steps}.`);
      }
      ended ||= r.type === 'end';
      if (ended) say(`Done: ${r.steps} steps of ${name} in ${((performance.now() - begun) / 1000).toFixed(1)} s.`);
    }
    if (!ended) throw new Error('the connection ended early');
  } catch (e) {
    if (mine.signal.aborted) say(`Cancelled after ${done} of ${body.steps} steps.`);
    else { say(`Stopped after ${done} of ${body.steps} steps.`); complain(e); }
  } finally {
    running = null;
    busy(false);
    player.running(false);
  }
}

function busy(on) {
  el('run').disabled = on || !!starting;
  el('cancel').disabled = !on;
  if (on) el('progress').value = 0;
}

el('setup').addEventListener('submit', run);
el('cancel').addEventListener('click', () => running && running.abort());
el('system').addEventListener('change', choose);
el('seed').addEventListener('change', begin);
el('another').addEventListener('click', () => { el('seed').value = Number(el('seed').value) + 1; begin(); });
for (const id of ['field', 'size']) el(id).addEventListener('change', begin);
load();
