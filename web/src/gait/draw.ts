// Strips on a canvas: one path for each direction, not a rectangle for each packet.

import { resolve } from '../look/theme.svelte';
import type { Slot } from '../look/slots';
import { gait, type Mode, type Packets, type Strip } from './geometry';

export interface Palette {
  axis: string;
  tick: string;
  up: string[];
  down: string[];
}

/** The colours as they are now; to be read again when the theme changes. */
export function palette(): Palette {
  const slots = [0, 1, 2, 3, 4, 5, 6, 7];
  return {
    axis: resolve('line-2'),
    tick: resolve('ink-3'),
    up: slots.map((slot) => resolve(`up-${slot}`)),
    down: slots.map((slot) => resolve(`class-${slot}`)),
  };
}

/** Draws a strip with its left upper corner at (x, y), which are on pixels of the screen. */
export function draw(
  ctx: CanvasRenderingContext2D,
  packets: Packets,
  strip: Strip,
  at: { x: number; y: number; ratio: number },
  look: { slot: Slot; mode: Mode; palette: Palette },
) {
  const { bars, axis, cut } = gait(packets, strip, look.mode, at.ratio);
  const { palette } = look;
  const thin = Math.max(1, Math.round(at.ratio)) / at.ratio;
  ctx.fillStyle = palette.axis;
  ctx.fillRect(at.x, at.y + axis, strip.width, thin);
  for (const up of [true, false]) {
    ctx.fillStyle = (up ? palette.up : palette.down)[look.slot]!;
    ctx.globalAlpha = look.mode === 'log' ? 0.6 : 1;
    ctx.beginPath();
    for (const bar of bars) if (bar.up === up) ctx.rect(at.x + bar.x, at.y + bar.y, strip.bar, bar.height);
    ctx.fill();
  }
  ctx.globalAlpha = 1;
  if (cut) {
    ctx.fillStyle = palette.tick;
    ctx.fillRect(at.x + strip.width - thin, at.y + axis - 3, thin, 6);
  }
}
