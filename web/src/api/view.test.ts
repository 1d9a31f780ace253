import { expect, test } from 'vitest';
import { decode, packetsOf, UNKNOWN } from './view';

type Values = { name: string; kind: string; values: ArrayBufferView & { length: number } };

/** The octets as a server makes them. */
function encode(header: object, columns: Values[], lengthOff = 0): ArrayBuffer {
  const parts: Uint8Array[] = [];
  let offset = 0;
  const told = columns.map(({ name, kind, values }) => {
    const octets = new Uint8Array(Math.ceil(values.byteLength / 8) * 8);
    octets.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    parts.push(octets);
    const column = { name, kind, offset, count: values.length };
    offset += octets.length;
    return column;
  });
  const text = new TextEncoder().encode(JSON.stringify({ ...header, columns: told }));
  const begin = Math.ceil((8 + text.length) / 8) * 8;
  const all = new Uint8Array(begin + offset);
  all.set(new TextEncoder().encode('FGV1'));
  new DataView(all.buffer).setUint32(4, text.length + lengthOff, true);
  all.set(text, 8);
  let at = begin;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all.buffer;
}

const header = {
  rows: 3,
  job: 'j',
  model: 'kinds@1',
  classes: ['web', 'Größe'],
  categories: null,
  calibrated: true,
  dictionaries: { server: ['a:1', 'b:2'], protocol: ['TCP'] },
  missing: [],
};
const prediction = { name: 'prediction', kind: 'u16', values: new Uint16Array([0, 1, UNKNOWN]) };
const confidence = { name: 'confidence', kind: 'f32', values: new Float32Array([0.5, 0.25, 0]) };
const whole = [
  prediction,
  confidence,
  { name: 'server', kind: 'u32', values: new Uint32Array([1, 0, 1]) },
  { name: 'bytes_down', kind: 'f64', values: new Float64Array([1e12, NaN, 3]) },
  { name: 'gait_begin', kind: 'u32', values: new Uint32Array([0, 2, 2, 3]) },
  { name: 'gait_size', kind: 'i16', values: new Int16Array([100, -1448, 7]) },
  { name: 'gait_time', kind: 'f32', values: new Float32Array([0, 0.5, 0]) },
];

test('all columns, whatever the length of the header', () => {
  for (let n = 0; n < 9; n++) {
    const view = decode(encode({ ...header, model: 'm'.repeat(n) }, whole));
    expect([...view.prediction]).toEqual([0, 1, UNKNOWN]);
    expect([...view.confidence]).toEqual([0.5, 0.25, 0]);
    expect([...view.down!]).toEqual([1e12, NaN, 3]);
    expect(view.server!.names[view.server!.place[0]!]).toBe('b:2');
    expect(view.classes[1]).toBe('Größe');
    expect(view.calibrated).toBe(true);
  }
});

test('packets of a row; a row may have none', () => {
  const view = decode(encode(header, whole));
  expect([...packetsOf(view, 0).size]).toEqual([100, -1448]);
  expect([...packetsOf(view, 1).size]).toEqual([]);
  expect([...packetsOf(view, 2).time]).toEqual([0]);
});

test('without confidence no row has one', () => {
  const view = decode(encode({ ...header, missing: ['confidence'] }, [prediction]));
  expect([...view.confidence]).toEqual([NaN, NaN, NaN]);
});

test('of many rows the first are here', () => {
  expect(decode(encode(header, whole)).of).toBe(3);
  const more = decode(encode({ ...header, of: 200_001, gait_of: 'payload' }, whole));
  expect([more.rows, more.of, more.gaitOf]).toEqual([3, 200_001, 'payload']);
});

test('another tool has no gait and no times', () => {
  const view = decode(encode({ ...header, missing: ['gait'] }, [prediction, confidence]));
  expect('gait' in view).toBe(false);
  expect('start' in view).toBe(false);
  expect(packetsOf(view, 0).size.length).toBe(0);
});

test.each([
  ['another format', () => new TextEncoder().encode('PAR1....').buffer, /FGV1/],
  ['nothing', () => new ArrayBuffer(0), /FGV1/],
  ['cut in its header', () => encode(header, whole).slice(0, 40), /header/],
  ['a header beyond the end', () => encode(header, [], 1e6), /header/],
  ['cut in a column', () => encode(header, whole).slice(0, -8), /gait_time/],
  ['no predictions', () => encode(header, [confidence]), /predictions/],
  ['another kind', () => encode(header, [{ ...prediction, kind: 'f32' }, confidence]), /kind f32/],
  ['too few places', () => encode({ ...header, rows: 4 }, [prediction, confidence]), /3 places, not 4/],
])('%s is told', (_, octets, said) => {
  let detail = '';
  try {
    decode(octets() as ArrayBuffer);
  } catch (error) {
    detail = (error as { detail: string }).detail;
  }
  expect(detail).toMatch(said);
});
