import { expect, test } from 'vitest';
import { last, path } from './path';

const same = (v: number) => v;

test('a line, and one with a hole', () => {
  expect(path([0, 10, 20], [1, 2.04, 3], same, same)).toBe('M0 1L10 2L20 3');
  expect(path([0, 10, 20, 30], [1, NaN, 3, 4], same, same)).toBe('M0 1M20 3L30 4');
  expect(path([0, 10, 20, 30], [1, NaN, 3, NaN], same, same, true)).toBe('M0 1L20 3');
  expect(path([], [], same, same)).toBe('');
  expect(path([5], [NaN], same, same)).toBe('');
});

test('of many points in a pixel the first, lowest, highest and last', () => {
  const x = Array.from({ length: 100 }, (_, i) => i / 50);
  const y = x.map((_, i) => (i === 7 ? 9 : i === 30 ? -9 : i === 60 ? 5 : 0));
  const drawn = path(x, y, same, same);
  for (const [at, peak] of [
    [0.1, 9],
    [0.6, -9],
    [1.2, 5],
  ])
    expect(drawn).toContain(`L${at} ${peak}`);
  expect(drawn.match(/[ML]/g)!.length).toBeLessThanOrEqual(8);
});

test('where a line ends', () => {
  expect(last([1, 2, NaN])).toBe(1);
  expect(last([NaN])).toBeUndefined();
});
