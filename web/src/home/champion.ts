// What the start page says of a model's evaluation, of all that `flowgait-evaluation/1` has.

import { looks, type Look } from '../look/slots';

interface Spread {
  mean: number;
  sd: number | null;
}
export interface Evaluation {
  data: { origin: 'recorded' | 'made' };
  split: { kind: string; by?: string; count?: number };
  classes: { name: string; kind: string }[];
  scores: { f1_macro: number; ece: number | null };
  spreads: Record<string, Spread>;
  per_class: { support: number; recall: number; recall_low: number; recall_high: number }[];
  confidence: 'raw' | 'calibrated';
  after_packets: { packets: number; accuracy: Spread }[];
}

/** How the rows that were learnt from were kept apart from those that were judged. */
export function splitWords({ kind, by, count }: Evaluation['split']): string {
  const words: Record<string, string> = {
    given: 'as given',
    random: 'random split',
    grouped: 'grouped',
    time: 'by time',
    time_in_class: 'by time in each class',
    blocks: `in ${count} blocks`,
  };
  const plain = by && !by.includes('address') ? by : undefined;
  return (words[kind] ?? kind) + (kind === 'grouped' && plain ? ` by ${plain}` : '');
}

/** After how many packets the accuracy first reaches `level`. */
export function soonest(evaluation: Evaluation, level: number): number | undefined {
  return evaluation.after_packets.find(({ accuracy }) => accuracy.mean >= level)?.packets;
}

export interface Recall extends Look {
  recall: number;
  low: number;
  high: number;
}

/** Recall per class, those with the most rows first; classes that nobody judged are left out. */
export function recalls({ classes, per_class }: Evaluation, most: number): Recall[] {
  const support = per_class.map((of) => of.support);
  const look = looks(
    classes.map((of) => of.name),
    support,
    (place) => classes[place]?.kind,
  );
  return per_class
    .map((of, i) => ({ ...look[i]!, ...of, low: of.recall_low, high: of.recall_high }))
    .filter((of) => of.support > 0)
    .sort((a, b) => b.support - a.support)
    .slice(0, most)
    .map(({ slot, name, short, recall, low, high }) => ({ slot, name, short, recall, low, high }));
}

/** Where an axis of shares begins, so that the lowest of them is on it. */
export const floor = (shares: number[]) =>
  Math.max(0, Math.min(0.5, Math.floor(Math.min(...shares) * 10) / 10));
