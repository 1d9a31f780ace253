// A filter in words: one chip for each thing that holds, and the filter without it.

import type { View } from '../api/view';
import type { Look } from '../look/slots';
import { bytes, clock, duration } from '../look/words';
import { ranges, type Filter, type Range } from './filter';

export const rangeNames: Record<Range, string> = {
  confidence: 'Confidence',
  up: 'Bytes ↑',
  down: 'Bytes ↓',
  duration: 'Duration',
  start: 'Start',
};

export const sayRange: Record<Range, (n: number) => string> = {
  confidence: (n) => n.toFixed(2),
  up: bytes,
  down: bytes,
  duration,
  start: (n) => clock(n),
};

export interface ChipText {
  name: string;
  value: string;
  without: Filter;
}

export function chips(filter: Filter, view: View, looked: Look[]): ChipText[] {
  const found: ChipText[] = [];
  const nameOf = (key: string) =>
    looked[view.classes.indexOf(key)]?.name ?? (key === 'unknown' ? 'Unknown' : key);
  if (filter.classes.length)
    found.push({
      name: 'Label',
      value: filter.classes.map(nameOf).join(' or '),
      without: { ...filter, classes: [] },
    });
  for (const name of ranges) {
    const range = filter.range[name];
    if (!range) continue;
    const { [name]: _, ...rest } = filter.range;
    const say = sayRange[name];
    const [low, high] = [Number.isFinite(range.from), Number.isFinite(range.to)];
    const value =
      low && high
        ? `${say(range.from)}–${say(range.to)}`
        : low
          ? `≥ ${say(range.from)}`
          : `≤ ${say(range.to)}`;
    found.push({ name: rangeNames[name], value, without: { ...filter, range: rest } });
  }
  if (filter.protocol)
    found.push({ name: 'Protocol', value: filter.protocol, without: { ...filter, protocol: '' } });
  if (filter.server) found.push({ name: 'Server', value: filter.server, without: { ...filter, server: '' } });
  if (filter.truth) {
    const value = { right: 'right', wrong: 'wrong' }[filter.truth] ?? `is ${nameOf(filter.truth)}`;
    found.push({ name: 'True label', value, without: { ...filter, truth: '' } });
  }
  if (filter.text) found.push({ name: 'Text', value: filter.text, without: { ...filter, text: '' } });
  return found;
}
