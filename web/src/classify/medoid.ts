// The typical gait of a class: its medoid, the real flow that is least far from the others.
//
// Never an average, which walks like nobody. Exact medoids ask for every pair; 128 flows, evenly spaced over the
// class, are enough to draw one (8 classes in some 20 ms), and the same flows are taken every time.

import { packetsOf, type View } from '../api/view';
import type { Packets } from '../gait/geometry';

const SAMPLE = 128;
const FIRST = 30;

/** How a flow stands: for each of its first packets the signed height, then the gap as decades of it. */
function stance({ size, time }: Packets): Float32Array {
  const at = new Float32Array(2 * FIRST);
  for (let i = 0; i < Math.min(FIRST, size.length); i++) {
    at[i] = Math.sqrt(Math.min(1500, Math.abs(size[i]!)) / 1500) * Math.sign(size[i]!);
    const gap = i ? Math.max(0, time[i]! - time[i - 1]!) : 0;
    at[FIRST + i] = 0.25 * Math.log10(1 + gap * 1000);
  }
  return at;
}

/** The medoid of rows, or nothing where no row has packets. */
export function medoid(view: View, rows: ArrayLike<number>): number | undefined {
  const step = Math.max(1, rows.length / SAMPLE);
  const taken: number[] = [];
  for (let k = 0; k < rows.length; k += step) {
    const row = rows[Math.floor(k)]!;
    if (packetsOf(view, row).size.length) taken.push(row);
  }
  const stances = taken.map((row) => stance(packetsOf(view, row)));
  let best: number | undefined;
  let least = Infinity;
  for (const [i, a] of stances.entries()) {
    let far = 0;
    for (const b of stances) {
      for (let k = 0; k < a.length; k++) far += Math.abs(a[k]! - b[k]!);
      if (far >= least) break;
    }
    if (far < least) [least, best] = [far, taken[i]];
  }
  return best;
}

/** The medoid of each class, by what was predicted, whatever the threshold. */
export function medoids(view: View): (number | undefined)[] {
  const rows: number[][] = view.classes.map(() => []);
  for (let i = 0; i < view.rows; i++) rows[view.prediction[i]!]?.push(i);
  return rows.map((of) => medoid(view, of));
}
