// A client's accuracy over the rounds, small, on the canvas of a table.

import type { Brush } from '../parts/VirtualTable.svelte';

/** More points than this are not told apart. */
const POINTS = 200;

/** Draws values (0 to 1) up to the place `last`, of `all` places that the width stands for; where one is none the line goes on. */
export function spark(
  { ctx, x, y, width, height }: Brush,
  values: ArrayLike<number>,
  last: number,
  all: number,
  ink: { line: string; end: string },
): void {
  const px = (at: number) => x + 2 + (all > 1 ? at / (all - 1) : 0.5) * (width - 6);
  const py = (value: number) => y + height - 3 - value * (height - 6);
  ctx.strokeStyle = ink.line;
  ctx.lineWidth = 1;
  ctx.beginPath();
  const stride = Math.max(1, Math.floor(last / POINTS));
  for (let at = 0; at <= last; at = at === last ? last + 1 : Math.min(last, at + stride)) {
    const value = values[at]!;
    if (Number.isFinite(value)) ctx.lineTo(px(at), py(value));
  }
  ctx.stroke();
  const value = values[last];
  if (value === undefined || !Number.isFinite(value)) return;
  ctx.fillStyle = ink.end;
  ctx.beginPath();
  ctx.arc(px(last), py(value), 2, 0, 7);
  ctx.fill();
}
