import { expect, test } from 'vitest';
import css from '../look/tokens.css?raw';
import { contrast, linear } from '../look/color';
import { DIGITS_FROM, digit, light, opacity, over } from './heat';

test('a share of nothing is there, and one of everything is full', () => {
  expect(opacity(0)).toBeCloseTo(0.05);
  expect(opacity(1)).toBeCloseTo(1);
  expect(opacity(2)).toBeCloseTo(1);
  expect(opacity(0.5)).toBeGreaterThan(0.5);
});

test('colours as a browser says them', () => {
  expect(light('rgb(235, 164, 28)')).toEqual(linear('#eba41c'));
  expect(light('#eba41c')).toEqual(linear('#eba41c'));
  expect(over([1, 1, 1], [0, 0, 0], 1)).toEqual([1, 1, 1]);
});

const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)].map(
    ([, name, ...both]) => [name!, both.map(linear)] as const,
  ),
);

test.each([0, 1, 2, 3, 4, 5, 6, 7])('digits of slot %i are read on every share, in both themes', (slot) => {
  for (const theme of [0, 1])
    for (let share = DIGITS_FROM; share <= 1; share += 0.005) {
      const [color, ground] = [tokens.get(`class-${slot}`)![theme]!, tokens.get('bg')![theme]!];
      const cell = over(color, ground, opacity(share));
      const ink = digit(share, color, ground) === 'black' ? linear('#000000') : linear('#ffffff');
      expect(contrast(cell, ink)).toBeGreaterThanOrEqual(4.5);
    }
});
