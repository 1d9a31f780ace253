// A gait in words, for those who do not see it.

import { count, duration, plural } from '../look/words';
import type { Packets } from './geometry';

const THIN = '\u2009';
export const octets = (n: number) => `${Math.round(n)}${THIN}B`;

/** "40 packets in 4.3 s, 9 up mean 261 B, 31 down mean 1398 B, longest silence 2.0 s" */
export function sentence({ size, time }: Packets): string {
  const n = size.length;
  if (n === 0) return 'Gait: no packet with payload';
  const sides = { up: { n: 0, sum: 0 }, down: { n: 0, sum: 0 } };
  let silence = 0;
  for (let i = 0; i < n; i++) {
    const side = size[i]! > 0 ? sides.up : sides.down;
    side.n++;
    side.sum += Math.abs(size[i]!);
    if (i) silence = Math.max(silence, time[i]! - time[i - 1]!);
  }
  const said = (['up', 'down'] as const).flatMap((way) => {
    const { n, sum } = sides[way];
    return n ? [`${count(n)} ${way} mean ${octets(sum / n)}`] : [`none ${way}`];
  });
  if (n > 1) said.push(`longest silence ${duration(silence)}`);
  const all = time[n - 1]! - time[0]!;
  return `Gait: ${plural(n, 'packet')} in ${duration(all)}, ${said.join(', ')}`;
}

/** "packet 12 of 40: ▼ 1448 B, 0.2 ms after the last, 61 ms in" */
export function packet({ size, time }: Packets, i: number): string {
  const way = size[i]! > 0 ? '▲' : '▼';
  const gap = i ? `, ${duration(time[i]! - time[i - 1]!)} after the last` : '';
  return `packet ${i + 1} of ${size.length}: ${way} ${octets(Math.abs(size[i]!))}${gap}, ${duration(time[i]!)} in`;
}
