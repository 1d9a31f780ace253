import { expect, test } from 'vitest';
import { push, rootTicks, round, ticks } from './scale';

test('round numbers', () => {
  expect([2900, 1, 0.3, 4.9, 99].map(round).map((n) => Number(n.toPrecision(3)))).toEqual([
    2500, 1, 0.25, 2.5, 50,
  ]);
});

test.each([
  [0, 1],
  [0, 2.02],
  [0, 60],
  [0.4, 1],
  [0, 7],
  [-3, 12_345],
])('four or five ticks of %d to %d', (from, to) => {
  const found = ticks(from, to);
  expect(found.length).toBeGreaterThanOrEqual(3);
  expect(found.length).toBeLessThanOrEqual(6);
  expect(found[0]).toBeGreaterThanOrEqual(from);
  expect(found.at(-1)).toBeLessThanOrEqual(to);
});
test('ticks of 0 to 1', () => expect(ticks(0, 1)).toEqual([0, 0.25, 0.5, 0.75, 1]));

test('a root scale', () => {
  expect(rootTicks(2900)).toEqual([250, 1000, 2500]);
  expect(rootTicks(2)).toEqual([1, 2]);
  expect(rootTicks(0)).toEqual([]);
});

test('labels keep apart, and where they are when they may', () => {
  expect(push([10, 50], 14, [0, 100])).toEqual([10, 50]);
  expect(push([50, 50], 14, [0, 100])).toEqual([43, 57]);
  expect(push([98, 97, 99], 14, [0, 100])).toEqual([86, 72, 100]);
  expect(push([0, 2, 15], 14, [0, 100])).toEqual([0, 14, 28]);
});
