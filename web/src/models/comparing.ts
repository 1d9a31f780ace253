// Two versions held against each other.

import type { Evaluation, Model } from '../api/types';
import { plural } from '../look/words';
import { headline, soonEnough } from './reading';
import { doubt, gain, score, SCORES, splitWords } from './words';

export interface Difference {
  name: string;
  values: { said: string; doubt?: string }[];
  difference: string;
  remark: string;
}

type Side = readonly [Model, Evaluation | undefined];

function of([model, evaluation]: Side, field: string): { mean: number | null; sd: number | null } {
  return evaluation ? headline(evaluation, field) : { mean: model.scores[field] ?? null, sd: null };
}

/** Less is better of these. */
const LESS = new Set(['log_loss', 'brier', 'ece']);

export function differences(a: Side, b: Side): Difference[] {
  const sides = [a, b];
  const names: Record<string, string> = Object.fromEntries(SCORES);
  const rows = ['f1_macro', 'accuracy', 'balanced_accuracy', 'ece', 'log_loss', 'top3_accuracy'].flatMap(
    (field): Difference[] => {
      const [x, y] = sides.map((side) => of(side, field)) as [ReturnType<typeof of>, ReturnType<typeof of>];
      if (x.mean === null && y.mean === null) return [];
      const values = [x, y].map(({ mean, sd }) => ({
        said: score(mean),
        ...(sd !== null && { doubt: doubt(sd) }),
      }));
      const by = x.mean === null || y.mean === null ? NaN : x.mean - y.mean;
      return [
        {
          name: names[field]!,
          values,
          difference: gain(by),
          remark: remark(
            by,
            x.sd,
            y.sd,
            LESS.has(field),
            [a, b].map(([m]) => `${m.name}@${m.version}`),
          ),
        },
      ];
    },
  );
  const [f, g] = [a[1]?.unknown?.score.found, b[1]?.unknown?.score.found];
  if (f !== undefined || g !== undefined)
    rows.push({
      name: 'Unknown found',
      values: [{ said: score(f) }, { said: score(g) }],
      difference: f === undefined || g === undefined ? '–' : gain(f - g),
      remark: 'each at its own rate of false alarms',
    });
  const [s, t] = sides.map(([, e]) => e && soonEnough(e.after_packets)?.packets);
  if (s !== undefined || t !== undefined)
    rows.push({
      name: 'Packets until it knows',
      values: [s, t].map((n) => ({ said: n === undefined ? '–' : String(n) })),
      difference: s === undefined || t === undefined ? '–' : gain(s - t).replace(/\.000$/, ''),
      remark: 'the fewest that do as well as the best, within chance',
    });
  return rows;
}

function remark(by: number, a: number | null, b: number | null, less: boolean, names: string[]): string {
  if (!Number.isFinite(by)) return '';
  if (a === null || b === null) return '';
  if (Math.abs(by) <= Math.hypot(a, b)) return 'within their spread over trials';
  return `${names[by > 0 === less ? 1 : 0]} is better, beyond their spread over trials`;
}

/** What one of them can read may be too little for the other. */
export const otherColumns = (a: Model, b: Model) => a.schema !== b.schema || a.features !== b.features;

/** Why two models are hard to hold against each other, whatever they score. */
export function apart(a: Model, b: Model): string[] {
  const found: string[] = [];
  const columns = (m: Model) => plural(m.features, 'column');
  if (otherColumns(a, b))
    found.push(
      `They read other columns (${columns(a)}; ${columns(b)}): a table for one may lack what the other wants.`,
    );
  if (!a.classes.some((name) => b.classes.includes(name)))
    found.push(
      'They have no class in common: each answers another question, and their numbers do not compare.',
    );
  return found;
}

/** Why the numbers of two evaluations may not be held against each other. */
export function unlike(a: Evaluation, b: Evaluation): string[] {
  const found: string[] = [];
  const [s, t] = [splitWords(a.split), splitWords(b.split)];
  if (s !== t)
    found.push(`They were judged under different splits (${s}; ${t}): the numbers do not compare.`);
  if (a.data.source !== b.data.source || a.scores.rows !== b.scores.rows)
    found.push(
      `They were judged on different rows (${told(a)}; ${told(b)}): a difference may be that of the rows.`,
    );
  const names = (e: Evaluation) =>
    e.classes
      .map((c) => c.name)
      .sort()
      .join('\n');
  const common = a.classes.some((c) => b.classes.some((d) => d.name === c.name));
  if (common && names(a) !== names(b))
    found.push('They tell different classes apart: only the common ones are compared class by class.');
  return found;
}

const told = (e: Evaluation) => `${e.data.source || 'not said'}, ${e.scores.rows} rows`;

/** Classes that both know, where they differ most first. */
export function pairs(a: Evaluation, b: Evaluation): { a: number; b: number; by: number }[] {
  const place = new Map(b.classes.map((c, i) => [c.name, i]));
  return a.classes
    .flatMap((c, i) => {
      const j = place.get(c.name);
      if (j === undefined) return [];
      const [x, y] = [a.per_class[i]!, b.per_class[j]!];
      return x.support && y.support ? [{ a: i, b: j, by: x.recall - y.recall }] : [];
    })
    .sort((x, y) => Math.abs(y.by) - Math.abs(x.by) || x.a - y.a);
}

/** A curve's values at some places, straight between its points; NaN beyond its ends. */
export function resample(
  points: readonly (readonly [x: number, y: number])[],
  at: readonly number[],
): number[] {
  const sorted = [...points].sort((p, q) => p[0] - q[0]);
  return at.map((x) => {
    const right = sorted.findIndex((p) => p[0] >= x);
    if (right < 0) return NaN;
    const [b, a] = [sorted[right]!, sorted[right - 1]];
    if (b[0] === x) return b[1];
    return a ? a[1] + ((b[1] - a[1]) * (x - a[0])) / (b[0] - a[0]) : NaN;
  });
}
