// Values of columns, and changes of an answer, in words.

import { count } from '../look/words';
import type { Change } from './along';
import type { Knob } from './knobs';

export function amount(knob: Knob, value: number): string {
  if (knob.two) return value === knob.to ? knob.two[1] : knob.two[0];
  const said = Math.abs(value) >= 1000 ? count(value) : String(Number(value.toPrecision(3)));
  return (said + (knob.unit ? `\u2009${knob.unit}` : '')).replace('-', '−');
}

/** "Gaming below 640 B". */
export function changeWords(
  change: Change | undefined,
  name: (place: number) => string,
  now: string,
  withheld = false,
): string {
  if (!change) return withheld ? `${now} stays the likeliest.` : `The answer stays ${now}.`;
  const { knob, value, way, to } = change;
  if (knob.two) return `${name(to)} with ${amount(knob, value)}.`;
  if (value === knob.from || value === knob.to) return `${name(to)} at ${amount(knob, value)}.`;
  return `${name(to)} from about ${amount(knob, value)} ${way === 'below' ? 'down' : 'up'}.`;
}
