import { describe, expect, test } from 'vitest';
import css from './tokens.css?raw';
import { contrast, distance, linear, mix, seenWith, type Rgb } from './color';

type Theme = 'light' | 'dark';
const table: Record<Theme, Map<string, Rgb>> = { light: new Map(), dark: new Map() };
for (const [, name, light, dark] of css.matchAll(
  /--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g,
)) {
  table.light.set(name!, linear(light!));
  table.dark.set(name!, linear(dark!));
}

const color = (theme: Theme, name: string): Rgb => {
  const found = table[theme].get(name);
  if (!found) throw new Error(`no token --${name}`);
  return found;
};
const grounds = ['bg', 'surface', 'raised'];
const slots = [0, 1, 2, 3, 4, 5, 6, 7];

describe.each(['light', 'dark'] as const)('%s', (theme) => {
  const reads = (name: string, least: number, on: string[]) =>
    test.each(on)(`${name} reads at ${least}:1 on %s`, (ground) => {
      expect(contrast(color(theme, name), color(theme, ground))).toBeGreaterThanOrEqual(least);
    });

  for (const name of ['ink', 'ink-2', 'ink-3']) reads(name, 4.5, grounds);
  for (const name of ['ink', 'ink-2', 'ink-3', 'accent']) reads(name, 4.5, ['accent-bg']);
  for (const name of ['accent', 'ok', 'warn', 'bad']) reads(name, 4.5, grounds);
  reads('field', 3, grounds);
  for (const slot of slots) reads(`class-${slot}`, 3, [...grounds, 'accent-bg']);

  // What is drawn in a filled button.
  reads('bg', 4.5, ['ink']);

  test.each(slots)('packets up of class %i show at 3:1', (slot) => {
    const up = mix(color(theme, `class-${slot}`), color(theme, 'ink'), 0.55);
    for (const ground of grounds) expect(contrast(up, color(theme, ground))).toBeGreaterThanOrEqual(3);
  });

  test.each(['protanopia', 'deuteranopia'] as const)('classes stay apart under %s', (deficiency) => {
    for (const a of slots.slice(1))
      for (const b of slots.slice(a + 1)) {
        const [x, y] = [a, b].map((s) => seenWith(deficiency, color(theme, `class-${s}`))) as [Rgb, Rgb];
        expect(distance(x, y), `${a} and ${b}`).toBeGreaterThanOrEqual(5);
      }
  });
});

test('no theme lacks a token', () => {
  expect(table.light.size).toBe(22);
});
