// An encoder of animated GIFs (GIF89a) whose frames are indices of one palette of 256 colours.

// Bits collects codes of varying length, and cuts them into blocks of at most 255 bytes.
class Bits {
  constructor() { this.bytes = []; this.value = 0; this.held = 0; }
  put(code, size) {
    this.value |= code << this.held;
    for (this.held += size; this.held >= 8; this.held -= 8) { this.bytes.push(this.value & 255); this.value >>>= 8; }
  }
  blocks() {
    if (this.held) this.bytes.push(this.value & 255);
    const out = [];
    for (let i = 0; i < this.bytes.length; i += 255) { const part = this.bytes.slice(i, i + 255); out.push(part.length, ...part); }
    out.push(0);
    return out;
  }
}

// compress codes indices of 8 bits by LZW.
function compress(index) {
  const clear = 256, end = 257, out = new Bits();
  let size = 9, next = 258, known = new Map(), prefix = index[0];
  out.put(clear, size);
  for (let i = 1; i < index.length; i++) {
    const key = prefix << 8 | index[i], code = known.get(key);
    if (code !== undefined) { prefix = code; continue; }
    out.put(prefix, size);
    prefix = index[i];
    if (next === 4096) { out.put(clear, size); size = 9; next = 258; known = new Map(); continue; }
    if (next === 1 << size) size++;
    known.set(key, next++);
  }
  out.put(prefix, size);
  if (next === 1 << size && size < 12) size++;
  out.put(end, size);
  return out.blocks();
}

const short = (v) => [v & 255, v >> 8];

// gif returns the bytes of an animation. palette has 256 colours [768]; frames yields arrays
// of width·height indices; delay is in hundredths of a second, the last frame stays longer.
export async function gif({ width, height, palette, frames, count, delay }, progress) {
  const parts = [new TextEncoder().encode('GIF89a'), new Uint8Array([...short(width), ...short(height), 0xf7, 0, 0, ...palette]),
    new Uint8Array([0x21, 0xff, 11, ...new TextEncoder().encode('NETSCAPE2.0'), 3, 1, 0, 0, 0])];
  let done = 0;
  for (const index of frames) {
    const last = ++done === count;
    parts.push(new Uint8Array([0x21, 0xf9, 4, 0, ...short(last ? 10 * delay : delay), 0, 0, 0x2c, 0, 0, 0, 0, ...short(width), ...short(height), 0, 8]));
    parts.push(new Uint8Array(compress(index)));
    progress(done);
    await new Promise((resolve) => setTimeout(resolve)); // the page stays responsive
  }
  parts.push(new Uint8Array([0x3b]));
  return new Blob(parts, { type: 'image/gif' });
}
