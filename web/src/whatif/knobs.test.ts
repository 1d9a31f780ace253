import { expect, test } from 'vitest';
import { best, nearest, spanOf, worth, type Along } from './along';
import {
  bendOf,
  defaults,
  knobOf,
  knobsOf,
  pointsEach,
  pointsOf,
  readSet,
  readShown,
  shareOf,
  valueAt,
  writeSet,
  writeShown,
} from './knobs';
import { amount, changeWords } from './words';

const column = (name: string, low: number, usual: number, high: number, unit = 'octets') => ({
  name,
  unit,
  low,
  usual,
  high,
  importance: null,
});
const knob = (name: string, low: number, usual: number, high: number, unit?: string) =>
  knobOf(column(name, low, usual, high, unit), 0, 'flowgait/1')!;

test('the four sliders of a federation keep their ranges', () => {
  const four = knobOf(column('packet_size', 42, 210, 1500), 0, 'four-classes')!;
  expect([four.from, four.to, four.start, four.learnt]).toEqual([0, 2000, 1200, [42, 1500]]);
  expect(knobOf(column('tcp', 0, 1, 1, ''), 2, 'four-classes')!.two).toEqual(['UDP', 'TCP']);
});

test('a column without a range cannot be turned', () => {
  expect(
    knobOf({ name: 'x', unit: '', low: null, usual: null, high: null, importance: null }, 0, ''),
  ).toBeUndefined();
  expect(knobOf(column('x', 0, 0, 0), 0, '')).toBeUndefined();
  // One question of it: both sides of that.
  expect(knobOf(column('x', 3, 3, 3), 0, '')).toMatchObject({ from: 0, to: 6, start: 3 });
  expect(knobOf(column('x', 0.5, 0.5, 0.5, 'yes or no'), 0, '')!.two).toEqual(['no', 'yes']);
});

test('a model that keeps no ranges has those of units, unset', () => {
  const columns = ['a_octets_sequence_0', 'b'].map((name) => ({
    name,
    unit: 'octets',
    low: null,
    usual: null,
    high: null,
  }));
  const found = knobsOf({ columns, schema: 'flowgait/1' } as never);
  expect(found.map((k) => [k.from, k.to, k.start])).toEqual([
    [-1500, 1500, NaN],
    [0, 1500, NaN],
  ]);
});

test('what is usual stands in the middle of a bent scale', () => {
  const gap = knob('gap', 0, 30, 2000);
  expect(valueAt(gap, 0.5)).toBe(30);
  expect(shareOf(gap, 30)).toBeCloseTo(0.5);
  expect(bendOf(0, 1000, 2000)).toBe(0);
  for (const share of [0, 0.25, 0.75, 1]) expect(shareOf(gap, valueAt(gap, share))).toBeCloseTo(share, 2);
});

test('points along a slider', () => {
  const size = knob('size', 0, 1000, 2000);
  expect(pointsOf(size, 5)).toEqual([0, 500, 1000, 1500, 2000]);
  expect(pointsOf(knob('tcp', 0, 1, 1), 9)).toEqual([0, 1]);
  expect([pointsEach(4), pointsEach(1), pointsEach(40)]).toEqual([30, 33, 9]);
});

test('an address keeps what is set, whatever columns are called', () => {
  const set = new Map([
    ['size', 1200],
    ['a;b:c%', 0.5],
  ]);
  expect(readSet(writeSet(set)!)).toEqual(set);
  expect(writeSet(new Map())).toBeUndefined();
  expect(readSet('x;y:nan;z:1')).toEqual(new Map([['z', 1]]));
  expect(readShown(writeShown(['a;b', 'c']))).toEqual(['a;b', 'c']);
  expect(readShown(null)).toBeUndefined();
});

test('columns that matter come first; a list is stood for by its first', () => {
  const knobs = ['a', 'b', 'list_0', 'list_1', 'c'].map((name) => knob(name, 0, 1, 2));
  const features = [
    { name: 'list (list of 2)', unit: '', value: 0.2, within: null },
    { name: 'c', unit: '', value: 0.1, within: null },
  ];
  const evaluation = { importances: { measure: '', within: null, features } } as never;
  expect(defaults(knobs, evaluation, 3)).toEqual(['list_0', 'c', 'a']);
  expect(defaults(knobs, undefined, 9)).toHaveLength(5);
});

test('where an answer changes', () => {
  const along: Along = {
    knob: knob('size', 0, 1000, 2000),
    values: [0, 500, 1000, 1500, 2000],
    probabilities: [
      [0.9, 0.1],
      [0.6, 0.4],
      [0.2, 0.8],
      [0.1, 0.9],
      [0.7, 0.3],
    ],
  };
  expect(best([0.2, 0.8])).toBe(1);
  expect(nearest(along, 1000, 1)).toMatchObject({ value: 500, way: 'below', to: 0 });
  expect(nearest(along, 1600, 1)).toMatchObject({ value: 2000, way: 'above', to: 0 });
  expect(
    nearest({ ...along, probabilities: along.probabilities.map(() => [0, 1]) }, 1000, 1),
  ).toBeUndefined();
  expect(spanOf(along, 0)).toEqual({ low: 0.1, high: 0.9 });
  expect(worth(along)).toEqual([0, 1]);
  const name = (place: number) => ['Game', 'Web'][place]!;
  // One that is not set stands nowhere, and yet the answer hangs on it.
  expect(nearest(along, NaN, 1)).toMatchObject({ value: 500, way: 'below', to: 0 });
  expect(nearest(along, NaN, 0)).toMatchObject({ way: 'above', to: 1 });
  expect(changeWords(undefined, name, 'Web', true)).toBe('Web stays the likeliest.');
  expect(changeWords(nearest(along, 1000, 1), name, 'Web')).toBe('Game from about 500\u2009B down.');
  expect(changeWords(undefined, name, 'Web')).toBe('The answer stays Web.');
  expect(amount(along.knob, 1234)).toBe('1,234\u2009B');
});
