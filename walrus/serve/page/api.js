// Talking to the server. Addresses are relative, since the server may be mounted anywhere.
import { send } from './send.js';

// floats reads base64 of little-endian float32.
export function floats(text) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}

// base64 writes it.
export function base64(values) {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let raw = '';
  for (let i = 0; i < bytes.length; i += 8192) raw += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(raw);
}

// Problem is an answer that says what is wrong.
export class Problem extends Error {
  constructor(status, error, retry) {
    super(error && error.message || `the server answered ${status}`);
    this.status = status; this.code = error && error.code; this.field = error && error.field; this.retry = retry;
  }
}

// The token is kept as long as the tab.
let token = '';
try { token = sessionStorage.getItem('walrus-token') || ''; } catch { /* no storage */ }
export function authorize(text) {
  token = text.trim();
  try { sessionStorage.setItem('walrus-token', token); } catch { /* no storage */ }
}
const headers = (more) => token ? { ...more, Authorization: `Bearer ${token}` } : more;

async function check(answer) {
  if (answer.ok) return answer;
  let body = {};
  try { body = await answer.json(); } catch { /* no JSON: the status has to do */ }
  throw new Problem(answer.status, body.error, answer.headers.get('Retry-After'));
}

export async function get(path) { return (await check(await send(path, { headers: headers({}) }))).json(); }

const post = (path, body, accept, signal) => send(path, { method: 'POST', signal, body: JSON.stringify(body), headers: headers({ 'Content-Type': 'application/json', Accept: accept }) });

export async function ask(path, body, signal) { return (await check(await post(path, body, 'application/json', signal))).json(); }

// stream yields the events of an answer as {type, …}.
export async function* stream(path, body, signal) {
  const answer = await check(await post(path, body, 'text/event-stream', signal));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const parts = (rest + value).split('\n\n');
    rest = parts.pop();
    for (const part of parts) {
      let type = 'message', data = '';
      for (const l of part.split('\n')) {
        if (l.startsWith('event: ')) type = l.slice(7);
        if (l.startsWith('data: ')) data += l.slice(6);
      }
      if (data) yield { ...JSON.parse(data), type };
    }
  }
}
