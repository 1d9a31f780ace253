// A picture of a page as a small PNG: of its colours the 256 that are seen most, and each other one as the nearest of them.
// Pages have few colours and much text, whose edges nobody tells from their neighbours.

import { crc32, deflateSync, inflateSync } from 'node:zlib';

interface Picture {
  width: number;
  height: number;
  /** Red, green and blue of each place. */
  colors: Uint32Array;
}

const MAGIC = Buffer.from('89504e470d0a1a0a', 'hex');

/** A PNG as browsers write it: eight bits a channel, not interlaced. */
function read(png: Buffer): Picture {
  let [width, height, channels] = [0, 0, 0];
  const parts: Buffer[] = [];
  for (let at = MAGIC.length; at < png.length;) {
    const length = png.readUInt32BE(at);
    const kind = png.toString('latin1', at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (kind === 'IHDR') {
      [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
      channels = { 2: 3, 6: 4 }[body[9]!] ?? 0;
      if (body[8] !== 8 || !channels || body[12]) throw new Error('a PNG of another kind');
    } else if (kind === 'IDAT') parts.push(body);
    at += length + 12;
  }
  const data = inflateSync(Buffer.concat(parts));
  const line = width * channels;
  const colors = new Uint32Array(width * height);
  for (let y = 0; y < height; y++) {
    const begin = y * (line + 1) + 1;
    unfilter(data, begin, line, channels, y > 0);
    for (let x = 0; x < width; x++) colors[y * width + x] = data.readUIntBE(begin + x * channels, 3);
  }
  return { width, height, colors };
}

/** Undoes what a line was filtered by, in place (PNG, section 9). */
function unfilter(data: Buffer, begin: number, line: number, channels: number, above: boolean): void {
  const filter = data[begin - 1];
  for (let i = 0; i < line; i++) {
    const at = begin + i;
    const a = i >= channels ? data[at - channels]! : 0;
    const b = above ? data[at - line - 1]! : 0;
    const c = above && i >= channels ? data[at - line - 1 - channels]! : 0;
    const guess = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter!]!;
    data[at] = data[at]! + guess;
  }
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

function distance(a: number, b: number): number {
  const [r, g, l] = [(a >> 16) - (b >> 16), ((a >> 8) & 255) - ((b >> 8) & 255), (a & 255) - (b & 255)];
  return r * r + g * g + l * l;
}

function chunk(kind: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(kind, 'latin1'), body]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

/** The same picture, smaller. */
export function small(png: Buffer): Buffer {
  const { width, height, colors } = read(png);
  const counts = new Map<number, number>();
  for (const color of colors) counts.set(color, (counts.get(color) ?? 0) + 1);
  const palette = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([color]) => color);
  palette.length = Math.min(256, palette.length);
  const places = new Map(palette.map((color, place) => [color, place]));
  for (const color of counts.keys())
    if (!places.has(color)) {
      const far = palette.map((known) => distance(known, color));
      places.set(color, far.indexOf(Math.min(...far)));
    }
  const lines = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) lines[y * (width + 1) + 1 + x] = places.get(colors[y * width + x]!)!;
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  [head[8], head[9]] = [8, 3];
  const table = Buffer.alloc(3 * palette.length);
  palette.forEach((color, place) => table.writeUIntBE(color, 3 * place, 3));
  return Buffer.concat([
    MAGIC,
    chunk('IHDR', head),
    chunk('PLTE', table),
    chunk('IDAT', deflateSync(lines, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
