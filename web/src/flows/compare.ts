// What differs between the gaits of two classes, from all of their rows: numbers, then sentences.

import { packetsOf, type View } from '../api/view';
import { count, duration, percent } from '../look/words';
import { octets } from '../gait/sentence';
import { medoid } from '../classify/medoid';

/** Packets with gaps below this are of one burst, as everywhere in flowgait. */
const BURST = 0.1;
/** Gaps are counted in steps of a 400th of a decade, from a microsecond on: 0.6 %. */
const STEPS = 400;
const DECADES = 9;
const SIZES = 32_768;

export interface Gaits {
  flows: number;
  packets: number;
  /** Medians; NaN where nothing is to be counted. */
  up: number;
  down: number;
  gap: number;
  burst: number;
  /** Of packets that go up. */
  share: number;
}

/** The middle of what was counted, as the number of its step. */
function middle(counts: Uint32Array): number {
  let all = 0;
  for (const n of counts) all += n;
  if (!all) return NaN;
  let seen = 0;
  for (let step = 0; step < counts.length; step++) {
    seen += counts[step]!;
    if (2 * seen >= all) return step;
  }
  return NaN;
}

export function gaitsOf(view: View, rows: ArrayLike<number>): Gaits {
  const [up, down, bursts] = [0, 0, 0].map(() => new Uint32Array(SIZES)) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  const gaps = new Uint32Array(STEPS * DECADES + 1);
  let packets = 0;
  let ups = 0;
  for (let k = 0; k < rows.length; k++) {
    const { size, time } = packetsOf(view, rows[k]!);
    let burst = 0;
    packets += size.length;
    for (let i = 0; i < size.length; i++) {
      const way = size[i]! > 0 ? up : down;
      way[Math.abs(size[i]!)]!++;
      if (way === up) ups++;
      const gap = i ? Math.max(0, time[i]! - time[i - 1]!) : 0;
      if (i) {
        const step = Math.round(Math.log10(Math.max(1e-6, gap) / 1e-6) * STEPS);
        gaps[Math.min(gaps.length - 1, step)]!++;
        if (gap >= BURST) {
          bursts[burst]!++;
          burst = 0;
        }
      }
      burst++;
    }
    if (burst) bursts[burst]!++;
  }
  const gap = middle(gaps);
  return {
    flows: rows.length,
    packets,
    up: middle(up),
    down: middle(down),
    // The first step is what no clock tells from nothing.
    gap: gap === 0 ? 0 : 1e-6 * 10 ** (gap / STEPS),
    burst: middle(bursts),
    share: packets ? ups / packets : NaN,
  };
}

/** Ratios below this are no difference worth a sentence. */
const ALIKE = 1.25;

/** "twice", "2.4 times", "30 times". */
function times(ratio: number): string {
  if (ratio >= 1.9 && ratio < 2.1) return 'twice';
  return `${ratio < 10 ? ratio.toFixed(1).replace(/\.0$/, '') : count(Math.round(ratio))} times`;
}

interface Measure {
  key: 'up' | 'down' | 'gap' | 'burst' | 'share';
  name: string;
  say: (n: number) => string;
  more: string;
  /** What nothing counts as in a ratio. */
  least: number;
}
const measures: Measure[] = [
  { key: 'down', name: 'Packets down', say: octets, more: 'as large', least: 1 },
  { key: 'up', name: 'Packets up', say: octets, more: 'as large', least: 1 },
  {
    key: 'gap',
    name: 'Gaps',
    // Where a duration would be rounded to nothing, its tenths are what differs.
    say: (s) =>
      s < 1e-4 ? 'below 0.1\u2009ms' : s < 0.01 ? `${(s * 1000).toFixed(1)}\u2009ms` : duration(s),
    more: 'as long',
    least: 1e-4,
  },
  {
    key: 'burst',
    name: 'Bursts',
    say: (n) => `${count(n)}\u2009packet${n === 1 ? '' : 's'}`,
    more: 'as long',
    least: 1,
  },
  { key: 'share', name: 'Share up', say: (p) => percent(p, 0), more: 'as much', least: 0.01 },
];

export interface Difference {
  name: string;
  says: string;
  /** How many times; 1 where they are alike. */
  ratio: number;
}

/** The largest first; those that are alike last, and without what cannot be counted. */
export function differences(a: Gaits, b: Gaits, names: [string, string]): Difference[] {
  const found = measures.flatMap(({ key, name, say, more, least }): Difference[] => {
    const [x, y] = [a[key], b[key]];
    if (Number.isNaN(x) && Number.isNaN(y)) return [];
    if (Number.isNaN(x) || Number.isNaN(y)) {
      const [has, lacks] = Number.isNaN(x) ? [1, 0] : [0, 1];
      return [
        { name, says: `${say(has ? y : x)} in ${names[has]}, none in ${names[lacks]}`, ratio: Infinity },
      ];
    }
    const [low, high] = [Math.max(least, Math.min(x, y)), Math.max(least, x, y)];
    const ratio = high / low;
    if (ratio < ALIKE) return [{ name, says: `alike, ${say(x)} and ${say(y)}`, ratio: 1 }];
    const larger = x > y ? names[0] : names[1];
    const said = `${say(x)} against ${say(y)}`;
    return [{ name, says: `${said}: ${times(ratio)} ${more} in ${larger}`, ratio }];
  });
  return found.sort((p, q) => q.ratio - p.ratio);
}

/** Rows of each class, by what was predicted, whatever the threshold. */
export function rowsOfClasses(view: View): number[][] {
  const rows: number[][] = view.classes.map(() => []);
  for (let i = 0; i < view.rows; i++) rows[view.prediction[i]!]?.push(i);
  return rows;
}

/** The typical flow of rows, and those of its first and second half: real flows, three where there are as many. */
export function examples(view: View, rows: number[]): number[] {
  const best = medoid(view, rows);
  if (best === undefined) return [];
  const rest = rows.filter((row) => row !== best);
  const half = Math.ceil(rest.length / 2);
  const others = [rest.slice(0, half), rest.slice(half)].map((part) => medoid(view, part));
  return [best, ...others.filter((row) => row !== undefined)];
}
