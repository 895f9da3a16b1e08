// The form: systems, parameters, boundaries.
const el = (id) => document.getElementById(id);
const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

// fill lists the systems and fields that the network knows.
export function fill(model, systems) {
  const flat = make('optgroup', { label: '2D' }), deep = make('optgroup', { label: '3D' }), free = make('optgroup', { label: 'Without equations' });
  for (const s of systems) {
    const o = new Option(s.unknown.length ? `${s.name} (the network does not know ${s.unknown.join(', ')})` : s.name.replaceAll('_', ' '), s.name);
    o.disabled = s.unknown.length > 0;
    (s.grid.length > 2 ? deep : flat).append(o);
  }
  free.append(new Option('paint a field', ''));
  el('system').append(...[flat, deep, free].filter((g) => g.children.length));
  el('field').append(...model.fields.map((f) => new Option(f)));
  if (model.fields.includes('concentration')) el('field').value = 'concentration';
  el('steps').max = model.limits.steps;
}

// inputs makes the fields of a system's parameters.
export function inputs(parameters, changed) {
  el('parameters').hidden = !parameters.length;
  el('inputs').replaceChildren();
  for (const p of parameters) {
    const id = `p-${p.name}`, input = make('input', { id, type: 'number', step: 'any', min: p.low, max: p.high, placeholder: 'drawn' });
    input.dataset.name = p.name;
    input.setAttribute('aria-describedby', `${id}-hint`);
    input.addEventListener('change', changed);
    el('inputs').append(make('label', { htmlFor: id, textContent: p.name }), input,
      make('p', { id: `${id}-hint`, className: 'hint', textContent: `${p.doc}: ${p.low} to ${p.high}; empty: drawn` }));
  }
}

// parameters returns those that are filled in.
export function parameters() {
  const out = {};
  for (const i of el('inputs').querySelectorAll('input')) if (i.value !== '') out[i.dataset.name] = Number(i.value);
  return out;
}

// sides makes the selects for the ends of the axes.
export function sides(list, changed) {
  const box = el('boundaries');
  box.replaceChildren(...['axis', 'low end', 'high end'].map((t) => make('span', { className: 'head', textContent: t })));
  list.forEach((b, axis) => {
    const [low, high = low] = b.split('/'), name = 'xyz'[axis];
    box.append(make('span', { textContent: name }));
    for (const [end, value] of [['low', low], ['high', high]]) {
      const s = make('select', { id: `b-${name}-${end}` });
      s.setAttribute('aria-label', `Boundary at the ${end} end of ${name}`);
      for (const k of ['periodic', 'wall', 'open']) s.append(new Option(k));
      s.value = value;
      s.addEventListener('change', () => { couple(name, end); changed(); });
      box.append(s);
    }
  });
}

// couple keeps an axis periodic at both ends or at none.
function couple(name, end) {
  const me = el(`b-${name}-${end}`), other = el(`b-${name}-${end === 'low' ? 'high' : 'low'}`);
  if (me.value === 'periodic' || other.value === 'periodic') other.value = me.value;
}

// boundaries returns one text for each axis.
export function boundaries() {
  const out = [];
  for (const name of 'xyz') {
    const low = el(`b-${name}-low`), high = el(`b-${name}-high`);
    if (low) out.push(low.value === high.value ? low.value : `${low.value}/${high.value}`);
  }
  return out;
}

// valid says whether a text names the boundaries of an axis.
export const valid = (text) => /^(periodic|(wall|open)(\/(wall|open))?)$/.test(text);
