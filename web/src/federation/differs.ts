// What differs between runs: the configurations side by side, only the lines in which they are not all the same.

import type { Setup } from '../api/types';
import { attack, cohort, effort, exact, faults, model, partition, strategy } from './told';
import { count, three } from '../look/words';

const LINES: [name: string, value: (setup: Setup) => string | undefined][] = [
  ['Rows', (of) => (of.made ? 'made' : `${count(of.samples.reduce((a, b) => a + b, 0))} of a table`)],
  ['Clients', (of) => count(of.clients.length)],
  ['Split', (of) => partition(of.configuration)],
  ['How unlike', (of) => `${three(of.skew)} of 1`],
  ['Rounds planned', (of) => count(of.rounds)],
  ['Strategy', strategy],
  ['Model', model],
  ['Local work', (of) => effort(of.configuration)],
  ['Batch', (of) => count(of.configuration.learning.batch)],
  ['Rate', (of) => exact(of.configuration.learning.rate)],
  ['Steps', (of) => (of.configuration.learning.stepping === 'adam-w' ? 'AdamW' : 'SGD')],
  ['Dropout', (of) => exact(of.configuration.model.dropout)],
  ['Cohort', (of) => cohort(of.configuration)],
  ['Budget', (of) => of.privacy && `ε ${exact(of.privacy.epsilon)}`] as [string, (of: Setup) => string],
  ['Noise', (of) => of.privacy && `z ${three(of.privacy.noise_multiplier)}`] as [
    string,
    (of: Setup) => string,
  ],
  [
    'Clip norm',
    (of) => (of.privacy ? exact(of.privacy.clip_norm) : (of.configuration.clip_norm ?? '').toString()),
  ],
  ['Sums', (of) => (of.masked ? 'masked' : 'open')],
  ['Attack', attack],
  ['Faults', faults],
  ['Seed', (of) => String(of.configuration.seed)],
];

export interface Difference {
  name: string;
  values: string[];
}

/** One value for each run; runs that tell nothing have a dash. */
export function differences(setups: readonly (Setup | undefined)[]): {
  differ: Difference[];
  same: Difference[];
} {
  const differ: Difference[] = [];
  const same: Difference[] = [];
  for (const [name, value] of LINES) {
    const values = setups.map((setup) => (setup && value(setup)) || '–');
    const known = values.filter((_, i) => setups[i]);
    if (known.every((of) => of === '–')) continue;
    (new Set(known).size > 1 ? differ : same).push({ name, values });
  }
  return { differ, same };
}
