// What a model says along a slider, and where it would say something else.

import type { Knob } from './knobs';
import { shareOf } from './knobs';

export interface Along {
  knob: Knob;
  /** Values of the column, from low to high. */
  values: number[];
  /** Of each value, of each class. */
  probabilities: number[][];
}

export function best(probabilities: readonly number[]): number {
  let found = 0;
  for (let i = 1; i < probabilities.length; i++) if (probabilities[i]! > probabilities[found]!) found = i;
  return found;
}

export interface Change {
  knob: Knob;
  /** Where it changes, between the two points that were asked. */
  value: number;
  way: 'below' | 'above';
  /** The class that it changes to. */
  to: number;
  /** How far that is from what is set, as a share of the slider. */
  far: number;
}

/** The nearest change of the answer along a slider, from what is set. */
export function nearest(
  { knob, values, probabilities }: Along,
  value: number,
  now: number,
): Change | undefined {
  const own = shareOf(knob, value);
  const found: Change[] = [];
  const said = probabilities.map(best);
  const place = (i: number) => shareOf(knob, values[i]!);
  // One that is not set stands nowhere: what its low end says, and where that ends, or what comes first after it.
  if (Number.isNaN(value)) {
    const first = said.findIndex((c) => c !== now);
    if (first < 0) return undefined;
    const end = first ? said.length : said.findIndex((c) => c !== said[0]);
    const at = first || (end < 0 ? said.length : end) - 1;
    return { knob, value: values[at]!, way: first ? 'above' : 'below', to: said[first]!, far: 1 };
  }
  for (const [way, by] of [
    ['above', 1],
    ['below', -1],
  ] as const) {
    const order = [...values.keys()].filter((i) => (by > 0 ? values[i]! > value : values[i]! < value));
    if (by < 0) order.reverse();
    const i = order.find((i) => said[i] !== now);
    if (i !== undefined)
      found.push({ knob, value: values[i]!, way, to: said[i]!, far: Math.abs(place(i) - own) });
  }
  return found.sort((a, b) => a.far - b.far)[0];
}

/** Between what the probability of a class stays along a slider. */
export function spanOf({ probabilities }: Along, place: number): { low: number; high: number } {
  const own = probabilities.map((row) => row[place]!);
  return { low: Math.min(...own), high: Math.max(...own) };
}

/** The classes worth drawing: those that are ever likely, the likeliest first. */
export function worth(along: Along, least = 0.05, most = 7): number[] {
  const classes = along.probabilities[0]?.length ?? 0;
  return Array.from({ length: classes }, (_, c) => ({
    c,
    p: Math.max(...along.probabilities.map((row) => row[c]!)),
  }))
    .filter(({ p }) => p >= least)
    .sort((a, b) => b.p - a.p)
    .slice(0, most)
    .map(({ c }) => c);
}
