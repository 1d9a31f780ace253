// Heat cells: how strong a share is painted, and whether its digits are black or white on that.

import { contrast, type Rgb } from '../look/color';

/** Of the cell's colour, for a share from 0 to 1. */
export const opacity = (share: number) => 0.05 + 0.95 * Math.max(0, Math.min(1, share)) ** 0.7;

/** Smaller shares are seen, and not written. */
export const DIGITS_FROM = 0.045;

/** A colour as the browser says it, `rgb(235, 164, 28)` or `#eba41c`, in linear light. */
export function light(color: string): Rgb {
  const said = color.startsWith('#')
    ? [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16))
    : (color.match(/[\d.]+/g) ?? []).map(Number);
  const at = (i: number) => {
    const v = (said[i] ?? 0) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  };
  return [at(0), at(1), at(2)];
}

const coded = (v: number) => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);
const decoded = (v: number) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);

/** What is seen where a colour lies on a ground: browsers mix the coded values. */
export function over(color: Rgb, ground: Rgb, share: number): Rgb {
  const at = (i: 0 | 1 | 2) => decoded(coded(color[i]) * share + coded(ground[i]) * (1 - share));
  return [at(0), at(1), at(2)];
}

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [1, 1, 1];

/** The colour of the digits of a cell; `faint` is how much of its strength it has. */
export function digit(share: number, color: Rgb, ground: Rgb, faint = 1): 'black' | 'white' {
  const cell = over(color, ground, opacity(share) * faint);
  return contrast(cell, BLACK) >= contrast(cell, WHITE) ? 'black' : 'white';
}
