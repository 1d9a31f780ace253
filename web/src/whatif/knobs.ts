// What is turned: columns of a model as sliders, each with its range, its scale and what it is called.

import type { Column, Evaluation, ModelDetail } from '../api/types';

export interface Knob {
  /** The column's name. */
  column: string;
  /** Its place in the model's input. */
  place: number;
  name: string;
  unit: string;
  from: number;
  to: number;
  start: number;
  /** How much the column matters to the model. */
  weight: number;
  /** How much the scale bends: 0 is straight, else what is usual stands in the middle. */
  bend: number;
  /** Named values, where there are only two. */
  two?: [from: string, to: string];
  /** About where 1 % and 99 % of what it learnt from end, where that is known. */
  learnt?: [low: number, high: number];
}

const UNITS: Record<string, string> = {
  octets: 'B',
  micros: 'µs',
  'octets per second': 'B/s',
  'packets per second': 'packets/s',
  number: '',
  count: '',
  ratio: '',
  'yes or no': '',
};

/** Ranges of the four columns that a federation on made rows learns from. */
const FOUR: Record<string, { name: string; from: number; to: number; start: number; usual?: number }> = {
  packet_size: { name: 'Packet size', from: 0, to: 2000, start: 1200 },
  gap: { name: 'Gap', from: 0, to: 2000, start: 5, usual: 30 },
  tcp: { name: 'Protocol', from: 0, to: 1, start: 0 },
  bitrate: { name: 'Bitrate', from: 0, to: 10_000, start: 5000 },
};

const TWO: Record<string, [string, string]> = { tcp: ['UDP', 'TCP'], protocol: ['TCP', 'UDP'] };

/** How much a scale must bend for what is usual to stand in its middle; none where it nearly does. */
export function bendOf(from: number, usual: number, to: number): number {
  const share = (usual - from) / (to - from);
  if (!(to > from) || from < 0 || share > 0.12) return 0;
  return 2 * Math.log(1 / Math.max(share, 0.002) - 1);
}

/** Ranges by unit, for models that keep none of what they learnt from. */
const GUESSES: Record<string, [number, number]> = {
  octets: [0, 1500],
  micros: [0, 1_000_000],
  packets: [0, 1000],
  share: [0, 1],
};
const isSequence = (name: string) => /_octets_sequence_\d+$/.test(name);

interface Range {
  from: number;
  to: number;
  /** Not a number where it is left out of the row until somebody sets it. */
  start: number;
}

function rangeOf({ name, unit, low, usual, high }: Column, guesses: boolean): Range | undefined {
  if (name === 'protocol') return low === null && !guesses ? undefined : { from: 6, to: 17, start: 6 };
  if (low === null || usual === null || high === null) {
    const guess = guesses && (isSequence(name) ? [-1500, 1500] : GUESSES[unit]);
    return guess ? { from: guess[0]!, to: guess[1]!, start: NaN } : undefined;
  }
  if (unit === 'yes or no') return { from: 0, to: 1, start: Number(usual > 0.5) };
  if (high > low) return { from: low, to: high, start: usual };
  // It asks one question of this column only: both sides of that.
  return low > 0 ? { from: 0, to: 2 * low, start: low } : undefined;
}

export function knobOf(column: Column, place: number, schema: string, guesses = false): Knob | undefined {
  const { name, unit, low, high } = column;
  const four = schema === 'four-classes' ? FOUR[name] : undefined;
  const range = four ?? rangeOf(column, guesses);
  if (!range) return undefined;
  const { from, to, start } = range;
  const two = TWO[name] ?? (unit === 'yes or no' ? (['no', 'yes'] satisfies [string, string]) : undefined);
  return {
    column: name,
    place,
    name: four?.name ?? name,
    unit: UNITS[unit] ?? unit,
    from,
    to,
    start,
    bend: two || Number.isNaN(start) ? 0 : bendOf(from, four?.usual ?? start, to),
    weight: column.importance ?? 0,
    ...(two && { two }),
    ...(low !== null && high !== null && high > low && { learnt: [low, high] }),
  };
}

export function knobsOf(model: ModelDetail): Knob[] {
  const guesses = model.columns.every((column) => column.low === null);
  return model.columns.flatMap((column, place) => knobOf(column, place, model.schema, guesses) ?? []);
}

/** Three digits are enough for a slider. */
const three = (v: number) => (Math.abs(v) >= 1000 ? Math.round(v / 10) * 10 : Number(v.toPrecision(3)));

/** The value at a share of the way along. */
export function valueAt({ from, to, bend }: Knob, share: number): number {
  if (share <= 0) return from;
  if (share >= 1) return to;
  const way = bend ? Math.expm1(bend * share) / Math.expm1(bend) : share;
  return three(from + (to - from) * way);
}

/** How far along a value is, within the slider. */
export function shareOf({ from, to, bend }: Knob, value: number): number {
  const way = Math.max(0, Math.min(1, (value - from) / (to - from)));
  return bend ? Math.log1p(way * Math.expm1(bend)) / bend : way;
}

/** Points along a slider at which it is asked. */
export function pointsOf(knob: Knob, most: number): number[] {
  if (knob.two) return [knob.from, knob.to];
  return [...new Set(Array.from({ length: most }, (_, i) => valueAt(knob, i / (most - 1))))];
}

/** How many points each slider gets, so that one request has about a hundred rows. */
export const pointsEach = (knobs: number) => Math.max(9, Math.min(33, Math.floor(120 / Math.max(1, knobs))));

/** Columns to show where none were chosen: all of a few, else what matters most, else the first. */
export function defaults(knobs: readonly Knob[], evaluation: Evaluation | undefined, most = 6): string[] {
  if (knobs.length <= most) return knobs.map((knob) => knob.column);
  const found = new Set<string>();
  const features = [...(evaluation?.importances?.features ?? [])].sort((a, b) => b.value - a.value);
  for (const knob of [...knobs].sort((a, b) => b.weight - a.weight))
    if (knob.weight > 0 && found.size < most) found.add(knob.column);
  for (const { name } of features) {
    if (found.size === most) break;
    // A numbered list matters as one; its first stands for it.
    const list = name.replace(/ \(list of \d+\)$/, '');
    const column = knobs.find(
      (knob) => knob.column === name || (list !== name && knob.column === `${list}_0`),
    );
    if (column) found.add(column.column);
  }
  // The first packets tell most where nothing else is known.
  const rest = [...knobs.filter((knob) => isSequence(knob.column)), ...knobs];
  for (const knob of rest) if (found.size < most) found.add(knob.column);
  return [...found];
}

/** What is set, as an address says it: `packet_size:1200;gap:5`. */
export function readSet(text: string | null): Map<string, number> {
  const found = new Map<string, number>();
  for (const part of (text ?? '').split(';')) {
    const at = part.lastIndexOf(':');
    const value = Number(part.slice(at + 1));
    if (at > 0 && Number.isFinite(value)) found.set(decode(part.slice(0, at)), value);
  }
  return found;
}
export const writeSet = (set: ReadonlyMap<string, number>) =>
  [...set].map(([name, value]) => `${encode(name)}:${value}`).join(';') || undefined;

export const readShown = (text: string | null) =>
  text === null ? undefined : text.split(';').filter(Boolean).map(decode);
export const writeShown = (columns: readonly string[]) => columns.map(encode).join(';');

const encode = (name: string) =>
  name.replace(/[%;:]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
