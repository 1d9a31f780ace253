// Numbers and names of evaluations, in the words of the program's own report.

import type { Model, Split } from '../api/types';

const MINUS = '\u2212';
const NARROW = '\u202f';
const NONE = '–';

const sign = (value: number, digits: string) => (value < 0 && /[1-9]/.test(digits) ? MINUS : '') + digits;

/** A score with at most three digits. Never rounds up to 1 what is less, nor down to 0 what is more. */
export function score(v: number | null | undefined): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return NONE;
  if (v > 0.9995 && v < 1) return '> 0.999';
  if (v > 0 && v < 0.0005) return '< 0.001';
  if ((v >= 0.995 && v < 1) || (v > 0 && v < 0.0995)) return v.toFixed(3);
  return sign(v, Math.abs(v).toFixed(2));
}

/** A standard deviation: as many decimals as the score that it stands beside. */
export const doubt = (sd: number) => (sd > 0 && sd < 0.005 ? score(sd) : sd.toFixed(2));

/** Three decimals, for a column of them. */
export const exact = (v: number | null | undefined) =>
  v === null || v === undefined || !Number.isFinite(v) ? NONE : sign(v, Math.abs(v).toFixed(3));

/** Two decimals where they are all there are, else three: what an axis says must be what it means. */
export const tickWords = (v: number) =>
  Math.abs(v * 100 - Math.round(v * 100)) < 1e-6 ? score(v) : exact(v);

/** A difference, with its sign. */
export function gain(v: number): string {
  if (!Number.isFinite(v)) return NONE;
  const digits = Math.abs(v).toFixed(3);
  return (/[1-9]/.test(digits) ? (v < 0 ? MINUS : '+') : '') + digits;
}

/** A share, as a whole number where that says enough. */
export function percent(share: number): string {
  const p = share * 100;
  if (!Number.isFinite(p)) return NONE;
  if (p > 0 && p < 0.05) return `< 0.1${NARROW}%`;
  if (p > 99.95 && p < 100) return `> 99.9${NARROW}%`;
  if ((p > 0 && p < 9.95) || (p > 99 && p < 100)) return `${p.toFixed(1).replace(/\.0$/, '')}${NARROW}%`;
  return `${p.toFixed(0)}${NARROW}%`;
}

/** All of a few names, the first three of many. */
export function list(names: string[]): string {
  if (names.length < 2) return names[0] ?? NONE;
  if (names.length > 4) return `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

export function splitWords(split: Split): string {
  switch (split.kind) {
    case 'given':
      return 'as given';
    case 'random':
      return 'random split';
    case 'grouped':
      return `grouped by ${split.by}`;
    case 'time':
      return `by time (${split.by})`;
    case 'time_in_class':
      return `by time within each class (${split.by})`;
    case 'blocks':
      return `in ${split.count} blocks`;
  }
}

export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
export const pinned = (model: { name: string; version: number }) => `${model.name}@${model.version}`;

/** A name and a version, from `kinds@7`. */
export function unpinned(text: string | null): { name: string; version: number } | undefined {
  const [, name, version] = /^(.+)@(\d+)$/.exec(text ?? '') ?? [];
  return name ? { name, version: Number(version) } : undefined;
}

export const pathOf = (model: { name: string; version: number }) =>
  `/models/${encodeURIComponent(model.name)}/${model.version}`;

export const isLive = (model: Model) => model.aliases.includes('live');

/** Scores as they are named in words, in their order. */
export const SCORES: [field: string, name: string][] = [
  ['accuracy', 'Accuracy'],
  ['balanced_accuracy', 'Balanced accuracy'],
  ['f1_macro', 'Macro-F1'],
  ['precision_macro', 'Macro precision'],
  ['recall_macro', 'Macro recall'],
  ['f1_weighted', 'Weighted F1'],
  ['precision_weighted', 'Weighted precision'],
  ['recall_weighted', 'Weighted recall'],
  ['top3_accuracy', 'Among the top 3'],
  ['top5_accuracy', 'Among the top 5'],
  ['auroc_macro', 'Area under the curve, macro'],
  ['log_loss', 'Log loss, nats'],
  ['brier', 'Brier score, 0 to 2'],
  ['ece', 'Calibration error (ECE)'],
];
