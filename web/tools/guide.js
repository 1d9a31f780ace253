// node tools/guide.js FLOWS.csv > src/home/guide.json
//
// The field guide of the start page, from a flow table with made traffic: for each kind of use the typical flow's
// first packets, and the typical ones of two other applications of that kind.
//
//   flowgait synth mixed --flows 700 --seed 7 -o mixed.pcap --labels truth.csv
//   flowgait meter --packets 60 mixed.pcap --labels truth.csv -o flows.csv

import { readFileSync } from 'node:fs';
import { runnerImport } from 'vite';

const PACKETS = 60;
/** Of those that stand faintly behind. */
const BEHIND = 48;
/** A flow that ends sooner shows little of how its kind walks. */
const LEAST = 20;
const KINDS = ['video', 'web', 'voice', 'game', 'chat', 'transfer', 'cloud-game'];

/** Cells of a line; quotes as in RFC 4180. */
const cells = (line) =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? plain : quoted.replaceAll('""', '"'),
  );

const [head, ...lines] = readFileSync(process.argv[2], 'utf8').trimEnd().split(/\r?\n/);
const names = cells(head);
const flows = lines.map(cells).map((row) => {
  const cell = (name) => row[names.indexOf(name)] ?? '';
  const list = (name) => cell(name).split(' ').filter(Boolean).map(Number).slice(0, PACKETS);
  const gap = list('payload_gap_micros_sequence');
  let at = 0;
  return {
    kind: cell('category'),
    application: cell('application'),
    size: list('payload_octets_sequence'),
    gap,
    time: gap.map((micros) => (at += micros / 1e6)),
  };
});

const { module } = await runnerImport(new URL('../src/classify/medoid.ts', import.meta.url).pathname);
/** The typical one of flows, as a page would choose it among a job's. */
function typical(of) {
  const begin = new Uint32Array(of.length + 1);
  of.forEach((flow, i) => (begin[i + 1] = begin[i] + flow.size.length));
  const size = Int16Array.from(of.flatMap((flow) => flow.size));
  const time = Float32Array.from(of.flatMap((flow) => flow.time));
  const view = { gait: { begin, size, time } };
  return of[module.medoid(view, [...of.keys()])];
}
/** Milliseconds to two digits; less than a twentieth of one moves no bar by a pixel. */
const short = (micros) => (micros < 50 ? 0 : Number((micros / 1000).toPrecision(2)));
const plain = ({ size, gap }, first = PACKETS) => ({
  size: size.slice(0, first),
  gap: gap.slice(0, first).map(short),
});

const guide = KINDS.map((kind) => {
  const own = flows.filter((flow) => flow.kind === kind && flow.size.length >= LEAST);
  if (!own.length) return undefined;
  const best = typical(own);
  const others = new Map();
  for (const flow of own) others.set(flow.application, [...(others.get(flow.application) ?? []), flow]);
  others.delete(best.application);
  const more = [...others.keys()]
    .sort()
    .slice(0, 2)
    .map((name) => typical(others.get(name)));
  // A kind with one other application only: one more of its flows.
  const rest = own.filter((flow) => flow !== best && !more.includes(flow));
  while (more.length < 2 && rest.length) more.push(rest.splice(rest.indexOf(typical(rest)), 1)[0]);
  return { kind, ...plain(best), more: more.map((flow) => plain(flow, BEHIND)) };
}).filter(Boolean);

console.log(JSON.stringify(guide));
