// What follows from an evaluation: the numbers to quote, the mistakes, what must be beaten.

import type { Baseline, Evaluation, Spread } from '../api/types';
import { count, plural } from '../look/words';
import { capital, doubt, percent, score, splitWords } from './words';

/** Differences of accuracy up to this are called none. */
const CLOSE = 0.01;

/** A score's mean and spread over the trials, or its value over all rows where there are no trials. */
export function headline(e: Evaluation, field: string): { mean: number | null; sd: number | null } {
  const spread = e.spreads[field];
  return spread ? { mean: spread.mean, sd: spread.sd } : { mean: e.scores[field] ?? null, sd: null };
}

export const accuracyOf = (e: Evaluation) => headline(e, 'accuracy').mean ?? e.scores.accuracy;

/** The 95 % interval of a share (Wilson 1927). */
export function wilson(hits: number, rows: number): [number, number] {
  if (!(rows > 0)) return [0, 1];
  const z = 1.959963984540054;
  const p = hits / rows;
  const middle = (p + (z * z) / (2 * rows)) / (1 + (z * z) / rows);
  const half = (z / (1 + (z * z) / rows)) * Math.sqrt((p * (1 - p)) / rows + (z * z) / (4 * rows * rows));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** The fewest packets that do as well as the best, within one standard error of it. */
export function soonEnough(curve: Evaluation['after_packets']) {
  if (!curve.length) return undefined;
  const best = curve.reduce((a, b) => (b.accuracy.mean > a.accuracy.mean ? b : a)).accuracy;
  const error = best.sd === null ? 0 : best.sd / Math.sqrt(best.trials);
  return curve.find((point) => point.accuracy.mean >= best.mean - Math.max(error, CLOSE));
}

export interface FactWords {
  value: string;
  beside?: string;
  name: string;
}

/** Up to six numbers to quote, each with its doubt or its rule. */
export function facts(e: Evaluation): FactWords[] {
  const split = splitWords(e.split);
  const found: FactWords[] = [
    ['f1_macro', 'macro-F1'],
    ['accuracy', 'accuracy'],
  ].map(([field, name]) => {
    const { mean, sd } = headline(e, field!);
    return {
      value: score(mean),
      ...(sd !== null && { beside: `± ${doubt(sd)}` }),
      name: `${name}, ${split}`,
    };
  });
  if (!Object.keys(e.spreads).length) {
    const [low, high] = wilson(e.scores.accuracy * e.scores.rows, e.scores.rows);
    found[1]!.beside = `${score(low)} – ${score(high)}`;
  }
  found.push({ value: score(e.calibration.ece), name: 'calibration error (ECE)' });
  if (e.unknown)
    found.push({
      value: score(e.unknown.score.found),
      name: `unknown found, ${percent(e.unknown.score.false_alarms)} false alarms`,
    });
  const soon = soonEnough(e.after_packets);
  if (soon)
    found.push({
      value: count(soon.packets),
      beside: soon.packets === 1 ? 'packet' : 'packets',
      name: `to accuracy ${score(soon.accuracy.mean)}, the best within chance`,
    });
  const f1s = e.per_class.filter((c) => c.support > 0).map((c) => c.f1);
  found.push(
    { value: f1s.length ? score(Math.min(...f1s)) : '–', name: 'F1 of the weakest class' },
    { value: score(e.scores['log_loss']), name: 'log loss, nats' },
    { value: score(e.scores['top3_accuracy']), name: 'among the top 3' },
  );
  return found.slice(0, 6);
}

export interface Mistake {
  truth: number;
  said: number;
  rows: number;
  share: number;
}

export const rowOf = (e: Evaluation, truth: number) =>
  e.confusion.counts.slice(truth * e.confusion.classes, (truth + 1) * e.confusion.classes);

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

/** The largest mistakes first. */
export function mistakes(e: Evaluation): Mistake[] {
  const found: Mistake[] = [];
  for (let truth = 0; truth < e.confusion.classes; truth++) {
    const row = rowOf(e, truth);
    const all = sum(row);
    row.forEach((rows, said) => {
      if (said !== truth && rows > 0) found.push({ truth, said, rows, share: rows / all });
    });
  }
  return found.sort((a, b) => b.rows - a.rows);
}

/** How opaque a cell of this share is: small shares can still be seen. */
export const opacity = (share: number) => (share > 0 ? 0.05 + 0.95 * Math.min(1, share) ** 0.7 : 0);

export interface Line {
  name: string;
  what: string;
  accuracy: Spread;
  f1: number | null;
  baseline?: Baseline;
  kind: 'leak' | 'other' | 'own' | 'baseline';
}

/** The same rows measured in several ways: other splits, this model, what must be beaten. */
export function lines(e: Evaluation): Line[] {
  const alone = (value: number): Spread => ({ mean: value, sd: null, low: value, high: value, trials: 1 });
  const same = JSON.stringify(e.split);
  const others = e.other_splits
    .filter((other) => JSON.stringify(other.split) !== same)
    .map((other): Line => {
      const random = other.split.kind === 'random';
      return {
        name: capital(splitWords(other.split)),
        what: random
          ? 'same model; flows of one session on both sides'
          : 'same model, other rows to learn from',
        accuracy: other.accuracy,
        f1: other.f1_macro.mean,
        kind: random ? 'leak' : 'other',
      };
    });
  const own: Line = {
    name: 'This model',
    what: splitWords(e.split),
    accuracy: e.spreads['accuracy'] ?? alone(e.scores.accuracy),
    f1: headline(e, 'f1_macro').mean,
    kind: 'own',
  };
  const beaten = e.baselines.map((baseline): Line => ({
    name: baseline.name,
    what: baseline.what,
    accuracy: baseline.accuracy,
    f1: baseline.f1_macro.mean,
    baseline,
    kind: 'baseline',
  }));
  return [...others, own, ...beaten];
}

/** By how much a random split flatters, where it does. */
export function flattery(e: Evaluation) {
  const random = e.other_splits.find((other) => other.split.kind === 'random')?.accuracy.mean;
  if (random === undefined || e.split.kind === 'random') return undefined;
  const ours = accuracyOf(e);
  const points = Math.round((random - ours) * 100);
  return points < 1 ? undefined : { points, ours, random };
}

/** Numbers of folds and seeds. */
export function rounds(e: Evaluation): { folds: number; seeds: number } {
  return {
    folds: new Set(e.trials.map((t) => t.fold)).size,
    seeds: new Set(e.trials.map((t) => t.seed)).size,
  };
}

/** What was judged, in a line. */
export function judged(e: Evaluation): string {
  const { folds, seeds } = rounds(e);
  const { groups, features, source } = e.data;
  return [
    plural(e.scores.rows, 'row') + (groups ? ` in ${plural(groups.count, 'group')} (${groups.by})` : ''),
    plural(e.classes.length, 'class', 'classes'),
    features && plural(features, 'feature'),
    folds && `${plural(folds, 'fold')}, ${plural(seeds, 'seed')}`,
    source,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** A range around shares that ends on round numbers. */
export function around(values: number[]): { from: number; to: number } {
  const kept = values.filter(Number.isFinite);
  if (!kept.length) return { from: 0, to: 1 };
  const [low, high] = [Math.min(...kept), Math.max(...kept)];
  const step = [0.01, 0.02, 0.05, 0.1].find((step) => (high - low) / step <= 4) ?? 0.2;
  const whole = Math.round(1 / step);
  // The hair keeps 0.98 / 0.02 from being a little more than 49.
  const first = Math.max(0, Math.min(whole - 1, Math.floor(low / step + 1e-9)));
  const last = Math.max(first + 1, Math.min(whole, Math.ceil(high / step - 1e-9)));
  return { from: first / whole, to: last / whole };
}
