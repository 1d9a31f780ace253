import { expect, test } from 'vitest';
import type { Job } from '../api/types';
import { floor, recalls, soonest, splitWords, type Evaluation } from './champion';
import { guide } from './guide';
import { runOf, thin } from './run';

test('the guide has every kind, its packets in the order of time', () => {
  expect(guide.map((kind) => kind.slot)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  for (const { packets, more, says } of guide) {
    expect(says).not.toBe('');
    expect(more.length).toBe(2);
    for (const { size, time } of [packets, ...more]) {
      expect(time.length).toBe(size.length);
      for (let i = 1; i < time.length; i++) expect(time[i]).toBeGreaterThanOrEqual(time[i - 1]!);
    }
  }
});

const spread = (mean: number) => ({ mean, sd: 0.01 });
const evaluation: Evaluation = {
  data: { origin: 'made' },
  split: { kind: 'grouped', by: 'capture' },
  classes: [
    { name: 'chat', kind: 'chat' },
    { name: 'tube', kind: 'video' },
    { name: 'unseen', kind: 'unknown' },
  ],
  scores: { f1_macro: 0.8, ece: 0.02 },
  spreads: {},
  per_class: [
    { support: 10, recall: 0.7, recall_low: 0.42, recall_high: 0.9 },
    { support: 20, recall: 0.9, recall_low: 0.7, recall_high: 1 },
    { support: 0, recall: 0, recall_low: 0, recall_high: 1 },
  ],
  confidence: 'calibrated',
  after_packets: [
    { packets: 4, accuracy: spread(0.6) },
    { packets: 8, accuracy: spread(0.81) },
  ],
};

test('recall per class, the most frequent first, in its colour', () => {
  expect(recalls(evaluation, 7).map((of) => [of.name, of.slot, of.low])).toEqual([
    ['Tube', 1, 0.7],
    ['Chat', 5, 0.42],
  ]);
  expect(recalls(evaluation, 1).length).toBe(1);
});
test('an axis has room for its lowest share', () => {
  expect(floor([0.42, 0.9])).toBe(0.4);
  expect(floor([0.93])).toBe(0.5);
  expect(floor([0])).toBe(0);
});
test('how soon', () => {
  expect(soonest(evaluation, 0.8)).toBe(8);
  expect(soonest(evaluation, 0.9)).toBeUndefined();
});
test('splits in words', () => {
  expect(splitWords({ kind: 'grouped', by: 'capture' })).toBe('grouped by capture');
  expect(splitWords({ kind: 'grouped', by: 'initiator_address' })).toBe('grouped');
  expect(splitWords({ kind: 'blocks', count: 10 })).toBe('in 10 blocks');
});

test('a run from its rounds, with what was not measured absent', () => {
  const job = {
    id: 'j',
    kind: 'simulate',
    result: { model: 'fed@1', summary: { central: { accuracy: 0.9 }, local: null } },
  } as unknown as Job;
  const run = runOf(job, [
    { round: 1, accuracy: null, clients: [0.5, null] },
    { round: 2, accuracy: 0.7, clients: [0.6, 0.8], epsilon: 3 },
  ]);
  expect(run).toMatchObject({ made: true, rounds: [1, 2], accuracy: [NaN, 0.7], central: 0.9, epsilon: 3 });
  expect(run.clients).toEqual([
    [0.5, 0.6],
    [NaN, 0.8],
  ]);
  expect(run.local).toBeUndefined();
});

test('of many rounds some are shown, the first and the last among them', () => {
  const all = Array.from({ length: 2338 }, (_, i) => i);
  const some = thin(all, 100);
  expect([some.length, some[0], some.at(-1)]).toEqual([100, 0, 2337]);
  expect(new Set(some).size).toBe(100);
  expect(thin([1, 2, 3])).toEqual([1, 2, 3]);
});
