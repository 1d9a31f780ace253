import { expect, test } from 'vitest';
import type { Configuration, Setup } from '../api/types';
import { ago } from './ago';
import { differences } from './differs';
import { choice, cohort, effort, faults, partition, power, protects, strategy } from './told';

const configuration = {
  seed: 1,
  rounds: 5,
  survivors_least: 0.5,
  cohort: 'everyone',
  data: { held_out: 0.2, rows: 300 },
  clients: { count: 3, partition: 'iid' },
  model: { estimator: 'mlp', hidden: [64, 32], dropout: 0.2 },
  learning: { effort: { epochs: 2 }, batch: 32, rate: 0.1, stepping: 'sgd' },
  strategy: { name: 'fed-prox', mu: 0.01 },
  faults: { lost: 0, away_rounds: 0 },
  baselines: { central: true, local: true },
} as Configuration;
const setup = {
  title: '',
  made: true,
  label: 'label',
  rounds: 5,
  clients: ['a', 'b', 'c'],
  samples: [1, 2, 3],
  classes: ['x'],
  mix: [[1], [2], [3]],
  skew: 0.1,
  held_out: { rows: 500, common: true, clients: [1, 1, 1] },
  network: { kind: 'mlp', parameters: 2532, layers: [4, 64, 32, 4] },
  strategy: 'FedProx',
  liars: [],
  masked: false,
  masks: null,
  privacy: null,
  configuration,
} as Setup;

test('choices', () => {
  expect(choice('iid')).toEqual(['iid', {}]);
  expect(choice({ dirichlet: { alpha: 0.3 } })).toEqual(['dirichlet', { alpha: 0.3 }]);
  expect(choice({ epochs: 2 })).toEqual(['epochs', { n: 2 }]);
});

test('in words', () => {
  const of = (more: object) => ({ ...configuration, ...more }) as Configuration;
  expect(effort(configuration)).toBe('2 epochs');
  expect(partition(configuration)).toBe('all alike');
  expect(partition(of({ clients: { partition: { dirichlet: { alpha: 0.3 } } } }))).toBe('Dirichlet, α 0.3');
  expect(partition(of({ clients: { column: 'site' } }))).toBe('by column site');
  expect(cohort(of({ cohort: { poisson: { rate: 0.8 } } }))).toBe('Poisson, q 0.8');
  expect(strategy(setup)).toBe('FedProx, µ 0.01');
  expect(faults({ ...setup, configuration: of({ faults: { lost: 0.05, away_rounds: 3 } }) })).toBe(
    '5\u2009% lost',
  );
});

test('what the server sees is said', () => {
  const said = (of: Setup) => protects(of, undefined, 0, 0).find(({ name }) => name === 'Server sees')!.value;
  expect(said(setup)).toBe('each update');
  expect(said({ ...setup, masked: true, masks: { neighbours: 9, suffice: 6 } })).toContain('only sums');
});

test('small powers', () => {
  expect(power(1e-5)).toBe('10⁻⁵');
  expect(power(2e-6)).toBe('2 · 10⁻⁶');
  expect(power(1e-10)).toBe('10⁻¹⁰');
});

test('only what differs', () => {
  const other = { ...setup, configuration: { ...configuration, seed: 2 } };
  const { differ, same } = differences([setup, other, undefined]);
  expect(differ).toEqual([{ name: 'Seed', values: ['1', '2', '–'] }]);
  expect(same.find(({ name }) => name === 'Strategy')!.values).toEqual([
    'FedProx, µ 0.01',
    'FedProx, µ 0.01',
    '–',
  ]);
});

test('how long ago', () => {
  const at = (seconds: number) =>
    ago('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:00Z') + seconds * 1e3);
  expect([5, 90, 7300, 90_000, 900_000].map(at)).toEqual([
    'just now',
    '1 min ago',
    '2 h ago',
    'yesterday',
    '10 days ago',
  ]);
});
