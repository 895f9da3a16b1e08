// The page: what to forecast, running it, cancelling it, sharing it.
import { ask, authorize, base64, floats, get, stream } from './api.js';
import * as form from './form.js';
import { Painter } from './paint.js';
import { Player } from './player.js';
import * as share from './share.js';
import { View } from './view.js';

const el = (id) => document.getElementById(id);
const view = new View(), player = new Player(view), painter = new Painter(view, () => explain());
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
    if (e.status === 401) { askToken(); return; }
    if (e.final) { say(''); complain(e); return; }
    say('The network is not there yet; trying again.');
    setTimeout(load, 1000);
    return;
  }
  el('token').hidden = true;
  el('setup').hidden = el('result').hidden = false;
  el('model').textContent = `Network: ${model.name}, ${(model.parameters / 1e6).toFixed(1)} million parameters.`;
  form.fill(model, systems);
  const first = systems.find((s) => s.name === 'acoustics' && !s.unknown.length) || systems.find((s) => !s.unknown.length);
  el('system').value = first ? first.name : '';
  el('run').disabled = false;
  const shared = share.read(location.hash);
  if (shared) restore(shared); else choose();
}

// askToken shows the field for the server's token.
function askToken() {
  const again = !el('token').hidden;
  el('token').hidden = false;
  el('setup').hidden = el('result').hidden = true;
  el('model').textContent = '';
  el('tokennote').textContent = again ? 'This is not the token of the server.' : 'The server asks for a token.';
  el('tokentext').focus();
}

// choose reacts to another system.
function choose(shared) {
  system = systems.find((s) => s.name === el('system').value) || null;
  el('about').textContent = system ? `${system.title[0].toUpperCase()}${system.title.slice(1)}.` : 'The network gets your picture, repeated, as the history of a field that has not moved. There is no truth to compare with.';
  el('equation').textContent = system ? system.equation : '';
  el('custom').hidden = !!system;
  el('random').hidden = !system;
  form.inputs(system ? system.parameters : [], () => begin());
  form.sides(system ? system.boundaries : ['periodic', 'periodic'], explain);
  if (!running) { player.reset(); say('Paint on the initial state, or just run.'); }
  return shared ? undefined : begin();
}

// explain says what history and truth will be.
function explain() {
  const other = system && form.boundaries().join() !== system.boundaries.join();
  const lost = other && !system.takes_boundaries;
  el('consequence').textContent = !system ? '' : lost ? `The solver of this system only knows ${system.boundaries.join(', ')}. With these boundaries there is no truth.`
    : other ? 'The solver takes these boundaries, too: the truth goes along.' : 'Those of the system.';
  const n = model.history[system && system.grid.length === 3 ? '3d' : '2d'];
  el('history').textContent = !system || lost ? `The network sees ${n} frames: this one, repeated.`
    : `The network sees ${n} frames: ${painter.painted ? 'the solver runs on from the painted state' : 'the solver runs on from here'} to make them, and then goes on as the truth.`;
}

// begin asks for an initial state, and paints stamps on it.
async function begin(stamps = []) {
  if (starting) starting.abort();
  complain(null);
  if (!system) {
    const n = Number(el('size').value);
    start = null;
    painter.load(new Float32Array(n * n), [n, n], [{ channel: el('field').value, free: true, low: 0, high: 1, least: -10, most: 10 }]);
    if (stamps.length) painter.replay(stamps);
    explain();
    return;
  }
  const mine = starting = new AbortController();
  el('run').disabled = true;
  try {
    const answer = await ask('v1/start', { system: system.name, seed: Number(el('seed').value), parameters: form.parameters() }, mine.signal);
    start = { ...answer, frame: floats(answer.frame), constants: floats(answer.constants || '') };
    painter.load(start.frame.slice(), start.grid, start.ranges.slice(0, start.channels.length));
    if (stamps.length) painter.replay(stamps);
    explain();
  } catch (e) {
    if (e.name !== 'AbortError') complain(e);
  } finally {
    if (starting === mine) { starting = null; el('run').disabled = !!running; }
  }
}

// restore sets up what a link describes. Values that do not fit are left out.
async function restore(s) {
  if (![...el('system').options].some((o) => o.value === s.system && !o.disabled)) { choose(); complain(new Error(`the link asks for the system ${s.system}, which the network does not know`)); return; }
  el('system').value = s.system;
  choose(s);
  if (s.field && [...el('field').options].some((o) => o.value === s.field)) el('field').value = s.field;
  if (s.size && [...el('size').options].some((o) => o.value === s.size)) el('size').value = s.size;
  if (/^\d{1,10}$/.test(s.seed)) el('seed').value = s.seed;
  if (/^\d{1,4}$/.test(s.steps)) el('steps').value = s.steps;
  el('members').value = [...el('members').options].some((o) => o.value === s.members) ? s.members : '0';
  for (const i of el('inputs').querySelectorAll('input')) if (i.dataset.name in s.parameters) i.value = s.parameters[i.dataset.name];
  if (Object.keys(s.parameters).length) el('parameters').open = true;
  const axes = system ? system.boundaries.length : 2;
  if (s.boundaries && s.boundaries.length === axes && s.boundaries.every(form.valid)) form.sides(s.boundaries, explain);
  await begin(s.stamps);
  view.set(s.view);
  if (painter.channels && painter.channels[Number(s.channel)]) { el('channel').value = s.channel; painter.choose(); }
  say('The setup of the link is here: run it.');
}

// link puts the setup into the address, and copies it.
async function link() {
  const { fragment, whole } = share.write({
    system: system && system.name, field: el('field').value, size: el('size').value, seed: el('seed').value, parameters: form.parameters(),
    boundaries: form.boundaries(), steps: el('steps').value, members: el('members').value, channel: painter.index(), view: view.get(), stamps: painter.stamps,
  });
  history.replaceState(null, '', `#${fragment}`);
  const note = whole ? '' : ' The painting is too long for a link, which has the rest.';
  try {
    await navigator.clipboard.writeText(location.href);
    say(`The link is copied.${note}`);
  } catch {
    say(`The link is in the address bar.${note}`);
  }
}

// request is the body for what is set up.
function request() {
  const steps = Number(el('steps').value), members = Number(el('members').value);
  if (!system) {
    return ['v1/forecast', { fields: [{ name: painter.channels[0].channel }], grid: painter.grid, boundaries: form.boundaries(), frames: [base64(painter.frame)], repeat: model.history['2d'], steps, members }];
  }
  const body = { system: system.name, seed: start.seed, grid: start.grid, parameters: start.parameters, boundaries: form.boundaries(), steps, members };
  if (painter.painted) {
    body.initial = base64(painter.frame);
    if (start.constants.length) body.constants = base64(start.constants);
  }
  return ['v1/simulate', body];
}

let name = '';
async function run(event) {
  event.preventDefault();
  if (running || !painter.frame || system && !start) return;
  const mine = running = new AbortController(), [path, body] = request(), begun = performance.now();
  const channel = painter.index();
  name = system ? system.name : painter.channels[0].channel;
  complain(null);
  player.reset();
  busy(true);
  say('Waiting for a worker…');
  if (el('result').getBoundingClientRect().top > window.innerHeight / 2) el('result').scrollIntoView();
  let done = 0, ended = false;
  try {
    for await (const r of stream(path, body, mine.signal)) {
      if (r.type === 'error') throw Object.assign(new Error(r.error.message), r.error);
      if (r.type === 'start') { player.begin(r); player.select(channel); say(`Computing ${r.steps} steps…`); player.running(true); }
      if (r.type === 'history') player.add(r.step, { values: floats(r.values) });
      if (r.type === 'frame') {
        player.add(r.step, { forecast: floats(r.forecast), lower: r.lower && floats(r.lower), upper: r.upper && floats(r.upper), level: r.level, truth: r.truth && floats(r.truth), vrmse: r.vrmse, persistence: r.persistence });
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
  el('progress').hidden = !on;
  if (on) el('progress').value = 0;
}

// theme applies a choice of light and dark; "" follows the system.
function theme(value) {
  if (value) document.documentElement.dataset.theme = value; else delete document.documentElement.dataset.theme;
  try { localStorage.setItem('walrus-theme', value); } catch { /* no storage: until the page is left */ }
  player.curves();
}

const files = player.files(() => name, say);
el('setup').addEventListener('submit', run);
el('cancel').addEventListener('click', () => running && running.abort());
el('system').addEventListener('change', () => choose());
el('seed').addEventListener('change', () => begin());
el('another').addEventListener('click', () => { el('seed').value = Number(el('seed').value) + 1; begin(); });
for (const id of ['field', 'size']) el(id).addEventListener('change', () => begin());
el('share').addEventListener('click', link);
el('savegif').addEventListener('click', files.gif);
el('savenpy').addEventListener('click', files.npy);
el('savetruth').addEventListener('click', files.truth);
el('token').addEventListener('submit', (e) => { e.preventDefault(); authorize(el('tokentext').value); load(); });
window.addEventListener('hashchange', () => { const shared = model && share.read(location.hash); if (shared) restore(shared); });
el('theme').value = document.documentElement.dataset.theme || '';
el('theme').addEventListener('change', () => theme(el('theme').value));
load();
