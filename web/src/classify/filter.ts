// Which rows are shown, and in which order. Filters are written in the address.

import type { View } from '../api/view';
import { UNKNOWN } from '../api/view';
import { labelOf } from './reading';

export const ranges = ['confidence', 'up', 'down', 'duration', 'start'] as const;
export type Range = (typeof ranges)[number];

export interface Filter {
  /** Names of classes, and `unknown`. */
  classes: string[];
  range: Partial<Record<Range, { from: number; to: number }>>;
  protocol: string;
  /** Address and port. */
  server: string;
  /** `right`, `wrong`, or the name of a class that is true. */
  truth: string;
  /** Text in server, protocol or label. */
  text: string;
}

export const none = (): Filter => ({ classes: [], range: {}, protocol: '', server: '', truth: '', text: '' });

/** `10000..`, `..0.6`, `0.4..0.6`. */
function readRange(said: string | null): { from: number; to: number } | undefined {
  const parts = /^(-?[\d.]*(?:e[+-]?\d+)?)\.\.(-?[\d.]*(?:e[+-]?\d+)?)$/.exec(said ?? '');
  if (!parts) return undefined;
  const [from, to] = [parts[1] ? Number(parts[1]) : -Infinity, parts[2] ? Number(parts[2]) : Infinity];
  return Number.isNaN(from) || Number.isNaN(to) ? undefined : { from, to };
}

export function read(params: URLSearchParams): Filter {
  const filter = none();
  filter.classes = (params.get('class') ?? '').split(',').filter(Boolean).map(decodeURIComponent);
  for (const name of ranges) {
    const range = readRange(params.get(name));
    if (range) filter.range[name] = range;
  }
  filter.protocol = params.get('protocol') ?? '';
  filter.server = params.get('server') ?? '';
  filter.truth = params.get('truth') ?? '';
  filter.text = params.get('text') ?? '';
  return filter;
}

export function write(filter: Filter): Record<string, string | undefined> {
  const said: Record<string, string | undefined> = {
    // A name may have a comma of its own.
    class: filter.classes.map(encodeURIComponent).join(','),
    protocol: filter.protocol,
    server: filter.server,
    truth: filter.truth,
    text: filter.text,
  };
  for (const name of ranges) {
    const range = filter.range[name];
    const end = (n: number) => (Number.isFinite(n) ? String(n) : '');
    said[name] = range && `${end(range.from)}..${end(range.to)}`;
  }
  return said;
}

export type Sort =
  'label' | 'confidence' | 'server' | 'protocol' | 'up' | 'down' | 'duration' | 'start' | 'row';
export interface Order {
  by: Sort;
  down: boolean;
}

/** All rows in an order; rows without a value come last either way. */
export function order(view: View, { by, down }: Order): Uint32Array {
  const rows = new Uint32Array(view.rows);
  for (let i = 0; i < rows.length; i++) rows[i] = i;
  const keys = keysOf(view, by);
  if (!keys) return down ? rows.reverse() : rows;
  const way = down ? -1 : 1;
  return rows.sort((a, b) => {
    const [x, y] = [keys[a]!, keys[b]!];
    if (x === y) return a - b;
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) ? (Number.isNaN(y) ? a - b : 1) : -1;
    return (x - y) * way;
  });
}

function keysOf(view: View, by: Sort): ArrayLike<number> | undefined {
  if (by === 'label') return view.prediction;
  if (by === 'confidence' || by === 'up' || by === 'down' || by === 'duration' || by === 'start')
    return view[by];
  const words = by === 'server' ? view.server : by === 'protocol' ? view.protocol : undefined;
  if (!words) return undefined;
  // Names are compared once each, not once a comparison.
  const places = words.names.map((_, i) => i);
  const compare = new Intl.Collator('en', { numeric: true }).compare;
  places.sort((a, b) => compare(words.names[a]!, words.names[b]!));
  const rank = new Uint32Array(places.length);
  places.forEach((place, i) => (rank[place] = i));
  // A row without one has no rank, and comes last.
  return Float64Array.from(words.place, (place) => rank[place] ?? NaN);
}

/** The rows of `sorted` that pass. */
export function pass(view: View, sorted: Uint32Array, filter: Filter, reject: number): Uint32Array {
  const tests: ((row: number) => boolean)[] = [];
  if (filter.classes.length) {
    const wanted = new Set(
      filter.classes.map((name) => (name === 'unknown' ? -1 : view.classes.indexOf(name))),
    );
    if (!filter.classes.includes('unknown')) wanted.delete(-1);
    tests.push((row) => wanted.has(labelOf(view, row, reject)));
  }
  for (const name of ranges) {
    const [range, values] = [filter.range[name], view[name]];
    // Whatever is not there is in no range.
    if (range) tests.push((row) => !!values && values[row]! >= range.from && values[row]! <= range.to);
  }
  if (filter.protocol) {
    const place = view.protocol?.names.indexOf(filter.protocol) ?? -1;
    tests.push((row) => view.protocol?.place[row] === place);
  }
  if (filter.server) {
    const place = view.server?.names.indexOf(filter.server) ?? -1;
    tests.push((row) => view.server?.place[row] === place);
  }
  const { truth } = view;
  if (filter.truth && truth) {
    const right = filter.truth === 'right';
    const place = view.classes.indexOf(filter.truth);
    if (place >= 0) tests.push((row) => truth[row] === place);
    else
      tests.push((row) => {
        const label = labelOf(view, row, reject);
        return truth[row] !== UNKNOWN && label >= 0 && (truth[row] === label) === right;
      });
  }
  if (filter.text) tests.push(textTest(view, filter.text.toLowerCase(), reject));
  if (!tests.length) return sorted;
  let n = 0;
  const passed = new Uint32Array(sorted.length);
  for (const row of sorted) if (tests.every((test) => test(row))) passed[n++] = row;
  return passed.subarray(0, n);
}

/** Looks through the few different words, not through every row's. */
function textTest(view: View, text: string, reject: number): (row: number) => boolean {
  const has = (names: string[] | undefined) => (names ?? []).map((name) => name.toLowerCase().includes(text));
  const [servers, protocols] = [has(view.server?.names), has(view.protocol?.names)];
  const labels = has(view.classes);
  return (row) =>
    (view.server ? servers[view.server.place[row]!]! : false) ||
    (view.protocol ? protocols[view.protocol.place[row]!]! : false) ||
    (labels[labelOf(view, row, reject)] ?? 'unknown'.includes(text));
}
