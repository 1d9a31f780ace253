import { expect, test } from 'vitest';
import type { Evaluation } from '../api/types';
import { apart, differences, pairs, resample, unlike } from './comparing';
import { columnsOf, guess } from './fitting';
import { turns } from './heat';
import { notes } from './notes';
import { accuracyOf, around, facts, flattery, lines, mistakes, opacity, soonEnough, wilson } from './reading';
import { before, first, history, nameFrom, scaleOf, shelves } from './shelf';
import { exact, gain, list, percent, score, tickWords, unpinned } from './words';
import type { Model } from '../api/types';

const spread = (mean: number, sd: number | null = 0.02) => ({
  mean,
  sd,
  low: mean - 0.03,
  high: mean + 0.03,
  trials: 5,
});
const judged = (change: Partial<Evaluation> = {}): Evaluation => ({
  format: 'flowgait-evaluation/1',
  title: 'kinds@7',
  data: { source: 'flows.csv', origin: 'recorded', features: 4, groups: { by: 'capture', count: 42 } },
  split: { kind: 'grouped', by: 'capture' },
  model: [],
  classes: [
    { name: 'chat', kind: 'chat' },
    { name: 'web', kind: 'web' },
  ],
  scores: { rows: 400, accuracy: 0.86, f1_macro: 0.85, log_loss: 0.4, top3_accuracy: 1 },
  spreads: { accuracy: spread(0.86), f1_macro: spread(0.85) },
  per_class: [
    {
      support: 100,
      predicted: 90,
      precision: 0.9,
      recall: 0.8,
      f1: 0.84,
      recall_low: 0.7,
      recall_high: 0.87,
    },
    {
      support: 300,
      predicted: 310,
      precision: 0.9,
      recall: 0.9,
      f1: 0.9,
      recall_low: 0.86,
      recall_high: 0.93,
    },
  ],
  confusion: { classes: 2, counts: [80, 20, 30, 270] },
  calibration: { ece: 0.021, bins: [], histogram: [] },
  confidence: 'calibrated',
  risk_coverage: { area: 0, points: [] },
  unknown: null,
  baselines: [],
  other_splits: [{ split: { kind: 'random' }, accuracy: spread(0.97), f1_macro: spread(0.97) }],
  after_packets: [],
  importances: null,
  trials: [],
  notes: [],
  ...change,
});
const model = (name: string, version: number, change: Partial<Model> = {}): Model =>
  ({ name, version, aliases: [], scores: { f1_macro: 0.8 + version / 100 }, ...change }) as Model;

test('a score is never flattered by rounding', () => {
  const cases: [number, string][] = [
    [0.8, '0.80'],
    [0.0213, '0.021'],
    [0.9961, '0.996'],
    [0.99996, '> 0.999'],
    [1, '1.00'],
    [0, '0.00'],
    [0.00001, '< 0.001'],
    [-0.25, '−0.25'],
    [-0.001, '0.00'],
    [NaN, '–'],
  ];
  for (const [value, said] of cases) expect(score(value)).toBe(said);
  expect([gain(0.02), gain(-0.02), gain(0.0001)]).toEqual(['+0.020', '−0.020', '0.000']);
  expect([exact(null), exact(0.5)]).toEqual(['–', '0.500']);
  expect([tickWords(0.9), tickWords(0.925)]).toEqual(['0.90', '0.925']);
  expect(percent(0.071)).toBe('7.1\u202f%');
  expect([list(['a', 'b', 'c', 'd', 'e']), list(['a', 'b'])]).toEqual(['a, b, c and 2 more', 'a and b']);
});

test('facts carry their doubt and their split', () => {
  const found = facts(judged());
  expect(found).toHaveLength(6);
  expect(found[0]).toEqual({ value: '0.85', beside: '± 0.02', name: 'macro-F1, grouped by capture' });
  expect(found.at(-1)!.name).toBe('among the top 3');
  // Without trials: the interval over rows.
  expect(facts(judged({ spreads: {} }))[1]!.beside).toBe('0.82 – 0.89');
});

test('a random split flatters', () => {
  expect(flattery(judged())).toEqual({ points: 11, ours: 0.86, random: 0.97 });
  expect(flattery(judged({ split: { kind: 'random' } }))).toBeUndefined();
  const told = notes(judged());
  expect(told.map((n) => n.text)).toContain(
    'A random split would flatter this model by 11 points. Quote 0.86, not 0.97.',
  );
  expect(told[0]!.warns).toBe(false);
});

test('notes warn of few rows, of what is as good, and of made traffic', () => {
  const baseline = { name: 'majority', what: '', accuracy: spread(0.9), f1_macro: spread(0.5), lead: null };
  const said = notes(
    judged({
      data: { ...judged().data, origin: 'made' },
      scores: { ...judged().scores, rows: 100 },
      baselines: [{ kind: 'majority', ...baseline }],
    }),
  ).map((n) => n.text.split(':')[0]);
  expect(said).toContain('Made traffic');
  expect(said).toContain('Only 100 rows were judged');
  expect(said.some((text) => text!.startsWith('majority does as well or better'))).toBe(true);
});

test('mistakes, the largest first', () => {
  expect(mistakes(judged()).map((m) => [m.truth, m.said, m.rows, m.share])).toEqual([
    [1, 0, 30, 0.1],
    [0, 1, 20, 0.2],
  ]);
  expect(opacity(0)).toBe(0);
  expect(opacity(1)).toBe(1);
});

test('the fewest packets that do as well as the best', () => {
  const point = (packets: number, mean: number) => ({
    packets,
    accuracy: spread(mean),
    f1_macro: spread(mean),
  });
  expect(soonEnough([point(1, 0.4), point(8, 0.895), point(30, 0.9)])!.packets).toBe(8);
  expect(soonEnough([])).toBeUndefined();
});

test('an axis ends on round numbers', () => {
  expect(around([0.962, 0.998])).toEqual({ from: 0.96, to: 1 });
  expect(around([])).toEqual({ from: 0, to: 1 });
  const [low, high] = wilson(344, 400);
  expect([low.toFixed(3), high.toFixed(3)]).toEqual(['0.823', '0.891']);
});

test('the leak meter has other splits, then the model, then what it must beat', () => {
  expect(lines(judged()).map((l) => l.kind)).toEqual(['leak', 'own']);
  expect(accuracyOf(judged({ spreads: {} }))).toBe(0.86);
});

test('a difference says whether it is beyond chance', () => {
  const other = judged({ spreads: { accuracy: spread(0.7), f1_macro: spread(0.84) } });
  const found = differences([model('a', 2), judged()], [model('a', 1), other]);
  expect(found[0]).toMatchObject({ difference: '+0.010', remark: 'within their spread over trials' });
  expect(found[1]!.remark).toBe('a@2 is better, beyond their spread over trials');
  expect(unlike(judged(), other)).toEqual([]);
  expect(unlike(judged(), judged({ split: { kind: 'random' } }))[0]).toContain('different splits');
  const [six, four] = [
    { schema: 'flowgait/1', features: 387, classes: ['web', 'video'] },
    { schema: 'four-classes', features: 4, classes: ['Streaming'] },
  ].map((of) => of as Model) as [Model, Model];
  expect(apart(six, six)).toEqual([]);
  expect(apart(six, four)).toHaveLength(2);
  expect(apart(six, four)[0]).toContain('387 columns; 4 columns');
  expect(pairs(judged(), judged()).map((p) => p.by)).toEqual([0, 0]);
  expect(
    resample(
      [
        [0, 0],
        [1, 2],
      ],
      [0, 0.5, 1, 2],
    ),
  ).toEqual([0, 1, 2, NaN]);
});

test('the registry shows what stands for something and what is newer', () => {
  const all = [
    model('starter', 0),
    model('b', 1),
    model('b', 2, { aliases: ['live'] }),
    model('b', 3),
    model('a', 1),
  ];
  const shown = shelves(all).map((s) => [
    s.name,
    s.shown.map((m) => m.version),
    s.earlier.map((m) => m.version),
  ]);
  expect(shown).toEqual([
    ['a', [1], []],
    ['b', [3, 2], [1]],
    ['starter', [0], []],
  ]);
  expect(first(all)!.version).toBe(2);
  expect(before(all, all[2]!)!.version).toBe(1);
  expect(history(all, all[2]!)).toHaveLength(2);
  expect(scaleOf(all)).toEqual({ from: 0.8, to: 1 });
  expect([nameFrom('My Model (2).fgm'), unpinned('a@3'), unpinned('a')]).toEqual([
    'my-model-2',
    { name: 'a', version: 3 },
    undefined,
  ]);
});

test('a table says its columns', () => {
  const columns = columnsOf('capture,"a, b",category\r\n1,2,3');
  expect(columns).toEqual(['capture', 'a, b', 'category']);
  expect(guess(columns)).toEqual({ label: 'category', group: 'capture' });
  expect(columnsOf('')).toEqual([]);
});

test('digits turn where paper reads better', () => {
  const [ink, paper] = [
    [22, 25, 30],
    [255, 255, 255],
  ] as const;
  expect(turns(ink, paper, ink, 1)).toBe(true);
  expect(turns(ink, paper, ink, 0.1)).toBe(false);
});
