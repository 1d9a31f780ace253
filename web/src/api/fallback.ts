// Answers in columns from a job's CSV result, for servers without `/view`. To be deleted with its one caller
// in `answers.ts` once every server has it: it reads all of the table as text.

import { ask, Problem } from './client';
import type { Job, PredictResult } from './types';
import { UNKNOWN, type View } from './view';

/** Rows of cells; quotes as in RFC 4180. */
function* rowsOf(text: string): Generator<string[]> {
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell: string;
    if (text[at] === '"') {
      let end = at + 1;
      while (end < text.length && (text[end] !== '"' || text[end + 1] === '"'))
        end += text[end] === '"' ? 2 : 1;
      cell = text.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
    } else {
      let end = at;
      while (end < text.length && text[end] !== ',' && text[end] !== '\n') end++;
      cell = text.slice(at, text[end - 1] === '\r' ? end - 1 : end);
      at = end;
    }
    row.push(cell);
    if (text[at] !== ',') {
      if (text[at] === '\r') at++;
      yield row;
      row = [];
    }
    at++;
  }
}

export async function viewOfTable(job: Job, signal: AbortSignal): Promise<View> {
  const result = job.result as unknown as PredictResult;
  if (result.format !== 'csv' || !job.links.result)
    throw new Problem(
      'This server shows answers only as CSV',
      'Ask for the job again with CSV as its format.',
    );
  const text = await (await ask(job.links.result, { signal })).text();
  const rows = rowsOf(text);
  const names = rows.next().value as string[];
  const place = (name: string) => names.indexOf(name);

  const classes = Object.keys(result.classes).filter((name) => name !== 'unknown');
  const classPlace = new Map(classes.map((name, i) => [name, i]));
  const n = result.rows;
  const [prediction, second, truth] = [
    new Uint16Array(n),
    new Uint16Array(n),
    new Uint16Array(n).fill(UNKNOWN),
  ];
  const [confidence, secondConfidence] = [new Float32Array(n), new Float32Array(n)];
  const [up, down, duration, start] = [0, 0, 0, 0].map(() => new Float64Array(n).fill(NaN)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const [servers, protocols] = [new Map<string, number>(), new Map<string, number>()];
  const [serverPlace, protocolPlace] = [new Uint32Array(n), new Uint16Array(n)];
  const dictionary = (map: Map<string, number>, name: string) => {
    if (!map.has(name)) map.set(name, map.size);
    return map.get(name)!;
  };
  const begin = new Uint32Array(n + 1);
  const size: number[] = [];
  const time: number[] = [];

  const of = {
    prediction: place('prediction'),
    confidence: place('confidence'),
    second: place('prediction_2'),
    secondConfidence: place('confidence_2'),
    labels: [place('category'), place('application')],
    address: place('responder_address'),
    port: place('responder_port'),
    protocol: place('protocol'),
    up: place('forward_octets'),
    down: place('backward_octets'),
    duration: place('duration_micros'),
    start: place('start'),
    size: place('payload_octets_sequence'),
    gap: place('payload_gap_micros_sequence'),
  };
  const number = (cell: string | undefined) => (cell ? Number(cell) : NaN);

  let i = 0;
  for (const row of rows) {
    if (i === n) break;
    // What is not among the likeliest three has no place here; the class that was said has.
    prediction[i] = classPlace.get(row[of.prediction] ?? '') ?? UNKNOWN;
    confidence[i] = number(row[of.confidence]);
    second[i] = classPlace.get(row[of.second] ?? '') ?? UNKNOWN;
    secondConfidence[i] = number(row[of.secondConfidence]);
    for (const label of of.labels) {
      const found = classPlace.get(row[label] ?? '');
      if (found !== undefined) truth[i] = found;
    }
    const address = row[of.address] ?? '';
    const shown = address.includes(':') ? `[${address}]` : address;
    serverPlace[i] = dictionary(servers, `${shown}:${row[of.port] ?? ''}`);
    const protocol = row[of.protocol] ?? '';
    protocolPlace[i] = dictionary(protocols, { '6': 'TCP', '17': 'UDP' }[protocol] ?? protocol);
    up[i] = number(row[of.up]);
    down[i] = number(row[of.down]);
    duration[i] = number(row[of.duration]) / 1e6;
    start[i] = number(row[of.start]);
    let at = 0;
    const gaps = (row[of.gap] ?? '').split(' ');
    for (const [k, octets] of (row[of.size] ?? '').split(' ').entries()) {
      if (octets === '') continue;
      at += Number(gaps[k] ?? 0) / 1e6;
      size.push(Math.max(-32768, Math.min(32767, Number(octets))));
      time.push(at);
    }
    begin[++i] = size.length;
  }

  const has = (...places: number[]) => places.every((p) => p >= 0);
  return {
    rows: i,
    job: job.id,
    model: result.model,
    classes,
    categories: undefined,
    calibrated: undefined,
    missing: [],
    prediction,
    confidence,
    ...(has(of.second) && { second, secondConfidence }),
    ...(truth.some((place) => place !== UNKNOWN) && { truth }),
    ...(has(of.address) && { server: { place: serverPlace, names: [...servers.keys()] } }),
    ...(has(of.protocol) && { protocol: { place: protocolPlace, names: [...protocols.keys()] } }),
    ...(has(of.up) && { up }),
    ...(has(of.down) && { down }),
    ...(has(of.duration) && { duration }),
    ...(has(of.start) && { start }),
    ...(has(of.size, of.gap) && {
      gait: { begin, size: Int16Array.from(size), time: Float32Array.from(time) },
    }),
  };
}
