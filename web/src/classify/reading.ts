// What a page says of a job's answers: labels at a threshold, counts, histogram, accuracy of what is kept.

import type { Job } from '../api/types';
import { UNKNOWN, type View } from '../api/view';
import { looks, type Look } from '../look/slots';

export const BINS = 40;

/** The class of a row, or -1 where it is unknown: said so by the model, or less sure than `reject`. */
export function labelOf(view: View, row: number, reject: number): number {
  const place = view.prediction[row]!;
  return place === UNKNOWN || view.confidence[row]! < reject ? -1 : place;
}

/** Rows of each class; the last place counts the unknown. */
export function counts(view: View, reject: number): Uint32Array {
  const found = new Uint32Array(view.classes.length + 1);
  for (let i = 0; i < view.rows; i++) {
    const label = labelOf(view, i, reject);
    found[label < 0 ? view.classes.length : label]!++;
  }
  return found;
}

/** Slots go by what was predicted, not by the threshold: colours must not change under the handle. */
export function looksOf(view: View): Look[] {
  const { classes, categories, category, prediction } = view;
  const of = new Map<number, string>();
  if (categories && category)
    for (let i = 0; i < view.rows && of.size < classes.length; i++)
      if (!of.has(prediction[i]!)) of.set(prediction[i]!, categories[category[i]!] ?? '');
  return looks(classes, [...counts(view, 0)], (place) => of.get(place));
}

/** Rows by confidence, in bins of one fortieth; the last has 1 in it. */
export function histogram(view: View): Uint32Array {
  const bins = new Uint32Array(BINS);
  for (let i = 0; i < view.rows; i++) {
    const c = view.confidence[i]!;
    // A row without any answer has no confidence.
    if (c >= 0) bins[Math.min(BINS - 1, Math.floor(c * BINS))]!++;
  }
  return bins;
}

/** How right the kept rows are at each hundredth of the threshold. */
export interface Kept {
  /** Whether true labels say so, or the model's calibrated confidence expects it. */
  by: 'labels' | 'confidence';
  /** Share right, at 0.00 to 1.00; NaN where nothing is kept. */
  share: Float64Array;
  /** Half of its 95 % interval. */
  doubt: Float64Array;
}

/**
 * Nothing without true labels and calibration: a raw confidence promises no accuracy.
 *
 * The interval is Wilson's by labels, and that of a mean by confidence. It knows no groups: flows of one
 * capture are alike, and other captures may differ by more.
 */
export function kept(view: View): Kept | undefined {
  const { truth } = view;
  if (!truth && !view.calibrated) return undefined;
  const steps = 101;
  const [n, sum, squares] = [0, 0, 0].map(() => new Float64Array(steps)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let i = 0; i < view.rows; i++) {
    if (view.prediction[i] === UNKNOWN || (truth && truth[i] === UNKNOWN)) continue;
    const c = view.confidence[i]!;
    // The last threshold at which the row is still kept; hundredths are no exact numbers.
    const step = Math.min(100, Math.floor(c * 100 + 1e-4));
    const right = truth ? Number(truth[i] === view.prediction[i]) : c;
    n[step]!++;
    sum[step]! += right;
    squares[step]! += truth ? right : right * (1 - right);
  }
  const [share, doubt] = [new Float64Array(steps), new Float64Array(steps)];
  let [rows, right, spread] = [0, 0, 0];
  for (let step = 100; step >= 0; step--) {
    rows += n[step]!;
    right += sum[step]!;
    spread += squares[step]!;
    const p = right / rows;
    share[step] = p;
    const z = 1.96;
    doubt[step] = truth
      ? (z / (1 + (z * z) / rows)) * Math.sqrt((p * (1 - p)) / rows + (z * z) / (4 * rows * rows))
      : (z * Math.sqrt(spread)) / rows;
  }
  return { by: truth ? 'labels' : 'confidence', share, doubt };
}

/** Below which confidence the job itself withheld answers; nobody can look below that. */
export const rejectOf = (job: Job): number =>
  Number((job.answers as { reject?: number } | null)?.reject) || 0;
