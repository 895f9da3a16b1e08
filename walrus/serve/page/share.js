// A setup as the fragment of a link, and back. Fragments do not reach the server's logs.

// longest is the length of a painting in a link; browsers and chats cut longer ones.
const longest = 6000;

// writeStamps writes what was painted: groups "c,v,r:" of stamps with one brush, then their places.
export function writeStamps(stamps) {
  let out = '', brush = '';
  for (const s of stamps) {
    const b = [s.c, s.v, s.r].join('_');
    out += b === brush ? '.' : `${out ? '!' : ''}${b}*`;
    brush = b;
    out += s.p.map((v) => Math.round(v * 4).toString(36)).join('_');
  }
  return out;
}

export function readStamps(text) {
  const out = [];
  for (const group of text.split('!')) {
    const [brush, places = ''] = group.split('*'), [c, v, r] = brush.split('_').map(Number);
    if (!places) continue;
    for (const place of places.split('.')) out.push({ c, v, r, p: place.split('_').map((x) => parseInt(x, 36) / 4) });
  }
  return out;
}

// write returns the fragment of a setup, and whether it has all of the painting.
export function write({ system, field, size, seed, parameters, boundaries, steps, members, channel, view, stamps }) {
  const q = new URLSearchParams();
  if (system) { q.set('system', system); q.set('seed', seed); } else { q.set('field', field); q.set('size', size); }
  for (const [k, v] of Object.entries(parameters)) q.set(`p.${k}`, v);
  q.set('boundaries', boundaries.join(','));
  q.set('steps', steps);
  q.set('members', members);
  q.set('channel', channel);
  for (const k of ['map', 'smooth', 'mode', 'axis']) q.set(k, view[k]);
  q.set('at', view.at.join(','));
  const painting = writeStamps(stamps), whole = painting.length <= longest;
  if (painting && whole) q.set('paint', painting);
  return { fragment: q.toString(), whole };
}

// read returns the setup of a fragment, or null. Its values are checked where they are used.
export function read(fragment) {
  const q = new URLSearchParams(fragment.replace(/^#/, ''));
  if (!q.has('system') && !q.has('field')) return null;
  const parameters = {};
  for (const [k, v] of q) if (k.startsWith('p.')) parameters[k.slice(2)] = v;
  const text = (k) => q.get(k) ?? undefined;
  return {
    system: q.get('system') || '', field: text('field'), size: text('size'), seed: text('seed'), parameters,
    boundaries: q.get('boundaries') ? q.get('boundaries').split(',') : null, steps: text('steps'), members: text('members'), channel: text('channel'),
    view: { map: text('map'), smooth: text('smooth'), mode: text('mode'), axis: text('axis'), at: q.has('at') ? q.get('at').split(',').map(Number) : undefined },
    stamps: q.has('paint') ? readStamps(q.get('paint')) : [],
  };
}
