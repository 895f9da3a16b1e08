// Sending a request to the worker, which runs the server's code, in place of a server.
const worker = new Worker(new URL('./worker.js', import.meta.url));
const open = new Map(); // what the worker's messages about a request do
let last = 0, failure = null;

// Failed says that the forecast could not be loaded, or has ended.
class Failed extends Error { final = true; }

function fail(why) {
  failure = new Failed(`the forecast cannot run in this browser: ${why}. Reload the page to try again.`);
  for (const answer of open.values()) answer.fail(failure);
  open.clear();
}

worker.onerror = (e) => fail(e.message || 'its worker did not start');
worker.onmessage = ({ data: { id, type, value } }) => {
  if (type === 'failed') fail(value);
  else if (type === 'loading') document.getElementById('model').textContent = `Loading the network: ${value} %.`;
  else open.get(id)?.[type](value);
};

// send is fetch for requests to the worker.
export function send(path, { method = 'GET', headers = {}, body = '', signal } = {}) {
  return new Promise((resolve, reject) => {
    if (failure) { reject(failure); return; }
    if (signal?.aborted) { reject(signal.reason); return; }
    const id = ++last;
    let stream = null;
    const end = () => { open.delete(id); signal?.removeEventListener('abort', leave); };
    const broken = (error) => { end(); if (stream) stream.error(error); else reject(error); };
    const leave = () => { worker.postMessage({ id, type: 'cancel' }); broken(signal.reason); };
    signal?.addEventListener('abort', leave);
    open.set(id, {
      head: ({ status, headers }) => resolve(new Response(new ReadableStream({ start(c) { stream = c; } }), { status, headers })),
      body: (bytes) => stream.enqueue(bytes),
      end: () => { end(); stream.close(); },
      fail: broken,
    });
    worker.postMessage({ id, type: 'request', value: { method, path, headers, body } });
  });
}
