// Digits on heat cells: black or white, whichever reads better on what the cell is filled with.

import { contrast, linear, type Rgb } from '../look/color';

/** Channels from 0 to 255 of `rgb(1, 2, 3)`. */
const channels = (css: string): Rgb =>
  (css.match(/[\d.]+/g) ?? ['0', '0', '0']).map(Number) as unknown as Rgb;
const hex = (rgb: number[]) => '#' + rgb.map((c) => Math.round(c).toString(16).padStart(2, '0')).join('');

/** Whether the ground's own colour reads better than ink on a fill of some opacity over that ground. */
export function turns(fill: Rgb, ground: Rgb, ink: Rgb, opacity: number): boolean {
  const cell = linear(hex(fill.map((c, i) => opacity * c + (1 - opacity) * ground[i]!)));
  return contrast(cell, linear(hex([...ground]))) > contrast(cell, linear(hex([...ink])));
}

/** The same for colours as a style has them. */
export function digitsOn(fill: string, ground: string, ink: string): (opacity: number) => boolean {
  const [f, g, i] = [fill, ground, ink].map(channels) as [Rgb, Rgb, Rgb];
  return (opacity) => turns(f, g, i, opacity);
}
