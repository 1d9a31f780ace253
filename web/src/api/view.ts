// A job's answers in columns, all rows at once: the octets of `GET /v1/jobs/{id}/view`.
//
// `FGV1`, u32 length of a JSON header, the header, zeros to a multiple of 8, then columns, each padded to a
// multiple of 8. Little-endian, as typed arrays are on every machine with a browser.

import { Problem } from './client';

/** The place of a prediction that is no class. */
export const UNKNOWN = 65535;

export interface View {
  /** Those that are here; the first of all. */
  rows: number;
  of: number;
  job: string;
  model: string;
  classes: string[];
  categories: string[] | undefined;
  /** Undefined where nobody says. */
  calibrated: boolean | undefined;
  /** What the sizes of a gait are of. */
  gaitOf: 'payload' | 'packets' | undefined;
  /** Columns that this table cannot have, such as the gait of another tool's table. */
  missing: string[];
  prediction: Uint16Array;
  /** NaN where there is none: in all rows where nobody asked for it, which `missing` then says. */
  confidence: Float32Array;
  category?: Uint16Array;
  second?: Uint16Array;
  secondConfidence?: Float32Array;
  truth?: Uint16Array;
  server?: { place: Uint32Array; names: string[] };
  protocol?: { place: Uint16Array; names: string[] };
  up?: Float64Array;
  down?: Float64Array;
  duration?: Float64Array;
  start?: Float64Array;
  gait?: { begin: Uint32Array; size: Int16Array; time: Float32Array };
}

const KINDS = { u16: Uint16Array, u32: Uint32Array, i16: Int16Array, f32: Float32Array, f64: Float64Array };

interface Header {
  rows: number;
  of?: number;
  job: string;
  model: string;
  classes: string[];
  categories?: string[] | null;
  calibrated?: boolean | null;
  gait_of?: 'payload' | 'packets' | null;
  columns: { name: string; kind: keyof typeof KINDS; offset: number; count: number }[];
  dictionaries?: { server?: string[]; protocol?: string[] };
  missing?: string[];
}

const broken = (what: string) =>
  new Problem('The answers cannot be read', `${what}. Download them instead, or reload this page.`);

const padded = (n: number) => Math.ceil(n / 8) * 8;

export function decode(octets: ArrayBuffer): View {
  const bytes = new Uint8Array(octets);
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== 'FGV1') throw broken('They do not begin with FGV1');
  const length = bytes.length < 8 ? Infinity : new DataView(octets).getUint32(4, true);
  if (8 + length > bytes.length) throw broken('They end within their header');
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Header;
  const begin = padded(8 + length);

  const column = <K extends keyof typeof KINDS>(name: string, kind: K, count?: number) => {
    const said = header.columns.find((c) => c.name === name);
    if (!said) return undefined;
    const Kind = KINDS[kind];
    const end = begin + said.offset + said.count * Kind.BYTES_PER_ELEMENT;
    if (said.kind !== kind) throw broken(`Column ${name} is of kind ${said.kind}, not ${kind}`);
    if (count !== undefined && said.count !== count)
      throw broken(`Column ${name} has ${said.count} places, not ${count}`);
    if (said.offset % 8 || end > bytes.length)
      throw broken(`Column ${name} ends at octet ${end} of ${bytes.length}`);
    return new Kind(octets, begin + said.offset, said.count) as InstanceType<(typeof KINDS)[K]>;
  };

  const { rows } = header;
  const prediction = column('prediction', 'u16', rows);
  if (!prediction) throw broken('They lack the predictions');
  const confidence = column('confidence', 'f32', rows) ?? new Float32Array(rows).fill(NaN);
  const gaitBegin = column('gait_begin', 'u32', rows + 1);
  const gaitSize = column('gait_size', 'i16');
  const gaitTime = column('gait_time', 'f32', gaitSize?.length);
  const serverPlace = column('server', 'u32', rows);
  const protocolPlace = column('protocol', 'u16', rows);
  const { server: servers = [], protocol: protocols = [] } = header.dictionaries ?? {};

  return {
    rows,
    of: header.of ?? rows,
    job: header.job,
    model: header.model,
    classes: header.classes,
    categories: header.categories ?? undefined,
    calibrated: header.calibrated ?? undefined,
    gaitOf: header.gait_of ?? undefined,
    missing: header.missing ?? [],
    prediction,
    confidence,
    ...some({
      category: column('category', 'u16', rows),
      second: column('second', 'u16', rows),
      secondConfidence: column('second_confidence', 'f32', rows),
      truth: column('truth', 'u16', rows),
      server: serverPlace && { place: serverPlace, names: servers },
      protocol: protocolPlace && { place: protocolPlace, names: protocols },
      up: column('bytes_up', 'f64', rows),
      down: column('bytes_down', 'f64', rows),
      duration: column('duration', 'f64', rows),
      start: column('start', 'f64', rows),
      gait: gaitBegin && gaitSize && gaitTime && { begin: gaitBegin, size: gaitSize, time: gaitTime },
    }),
  };
}

type Some<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
/** Only what is there: an absent column is absent, not undefined. */
function some<T extends object>(values: T): Some<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Some<T>;
}

/** The packets of a row, as views into the columns: nothing is copied. */
export function packetsOf(view: View, row: number) {
  if (!view.gait) return { size: new Int16Array(), time: new Float32Array() };
  const { begin, size, time } = view.gait;
  const [from, to] = [begin[row]!, begin[row + 1]!];
  return { size: size.subarray(from, to), time: time.subarray(from, to) };
}
