// The worker: loads the server's code, compiled to WebAssembly, and passes messages.
importScripts('wasm_exec.js');
const say = (type, value, id) => postMessage({ id, type, value });
const running = new Map(); // cancels a request

// download returns the program. It is compressed, unless the server has done that as well.
async function download() {
  const answer = await fetch('walrus.wasm.gz');
  if (!answer.ok) throw new Error(`walrus.wasm.gz: the server answered ${answer.status}`);
  const length = Number(answer.headers.get('Content-Length')), reader = answer.body.getReader(), parts = [];
  for (let done = 0; ;) {
    const part = await reader.read();
    if (part.done) break;
    parts.push(part.value);
    done += part.value.length;
    if (length) say('loading', Math.min(100, Math.round(100 * done / length)));
  }
  const file = new Blob(parts), [first] = new Uint8Array(await file.slice(0, 1).arrayBuffer());
  return first === 0x1f ? new Response(file.stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer() : file.arrayBuffer();
}

// start resolves to the program's function that answers a request.
async function start() {
  const go = new Go();
  const { instance } = await WebAssembly.instantiate(await download(), go.importObject);
  return new Promise((resolve, reject) => {
    globalThis.walrusReady = (answer, error) => error ? reject(new Error(error)) : resolve(answer);
    go.run(instance).then(() => say('failed', 'its program ended'), (e) => say('failed', e.message));
  });
}

const ready = start();
ready.catch((e) => say('failed', e.message));
onmessage = async ({ data: { id, type, value } }) => {
  let answer;
  try { answer = await ready; } catch { return; /* the page knows */ }
  if (type === 'cancel') { running.get(id)?.(); return; }
  running.set(id, answer(value.method, value.path, JSON.stringify(value.headers), value.body, (type, value) => {
    if (type === 'end') running.delete(id);
    say(type, type === 'head' ? JSON.parse(value) : value, id);
  }));
};
