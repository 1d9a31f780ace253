import { expect, test } from 'vitest';
import { epsilonOf, fieldOf, noiseOf, plain, presets, toml, type Form } from './form';

const made = (form: Partial<Form>) => toml({ ...plain, ...form });

test('the demo is short', () => {
  expect(made({})).toBe(
    `seed = 1
rounds = 5

[clients]
count = 3
partition = "iid"

[learning]
effort = { epochs = 2 }
batch = 32
rate = 0.1

[strategy]
name = "fed-avg"
`,
  );
});

test.each<[Partial<Form>, string[]]>([
  [{ dealing: 'favourite', amount: 0.7 }, ['partition = { favourite = { share = 0.7 } }']],
  [{ dealing: 'shards', amount: 0.3 }, ['{ shards = { per_client = 1 } }']],
  [{ dealing: 'dirichlet-by-class', amount: 2 }, ['{ dirichlet-by-class = { alpha = 2 } }']],
  [{ rows: 'table', dealing: 'column', column: 'a "b"' }, ['column = "a \\"b\\""', 'label = "label"']],
  [{ strategy: 'fed-prox', parameter: 0.1 }, ['name = "fed-prox"\nmu = 0.1']],
  [{ strategy: 'fed-buff', parameter: 4 }, ['buffer = 4']],
  [{ cohort: 'poisson', chance: 0.5 }, ['cohort = { poisson = { rate = 0.5 } }']],
  [{ secure: 'on', clip: 2 }, ['clip_norm = 2\n', '[secure]']],
  [
    { privacy: 'distributed', noise: 1.5 },
    ['noise_multiplier = 1.5', 'mechanism = "distributed"', '[secure]'],
  ],
  [{ attack: 'scaling', liars: 0.2, clients: 10, robust: 'krum' }, ['{ krum = { f = 2 } }', 'by = -10.0']],
  [{ learns: 'pooled', trees: 20 }, ['[forest]\nway = "pooled"\ntrees = 20']],
  [{ hidden: '128–64' }, ['hidden = [128, 64]']],
  [{ lost: 0.1 }, ['[faults]\nlost = 0.1']],
])('%o', (form, lines) => {
  for (const line of lines) expect(made(form)).toContain(line);
});

test('a forest has no strategy and no clip norm', () => {
  const file = made({ learns: 'histogram', privacy: 'central', secure: 'on' });
  expect(file).not.toMatch(/\[strategy\]|\[learning\]|clip_norm/);
});

test.each([
  ['The configuration: the number of rounds is 0, but must be from 1 to 1,000,000.', 'rounds'],
  ['The configuration: delta is 0.5, but must be below one over the number of clients: at that, …', 'delta'],
  ['The configuration: a cohort of 9 cannot be drawn from 3 clients.', 'cohort'],
  ['The configuration: alpha is 0, but must be between 1e-6 and 1e9.', 'amount'],
  [
    'The configuration: krum against 4 liars needs 11 clients or more (n >= 2 f + 3), but there are 5.',
    'robust',
  ],
  [
    'The configuration: a noise multiplier of 0.1, at which the first round costs an epsilon of 90, cannot go with …',
    'noise',
  ],
  ['The configuration: no noise multiplier between 0.01 and 10000 keeps epsilon within 0.', 'epsilon'],
  ['The configuration: the sum of all faults is 1.2, but must be shares from 0 to 1', 'lost'],
  ['Something else.', undefined],
])('%s is said at %s', (detail, field) => expect(fieldOf(detail)).toBe(field));

test('epsilon and noise undo each other, and more of one is less of the other', () => {
  const noise = noiseOf(60, 8, 1e-5);
  expect(epsilonOf(60, noise, 1e-5)).toBeCloseTo(8, 1);
  expect(epsilonOf(60, 2 * noise, 1e-5)).toBeLessThan(5);
  expect(epsilonOf(120, noise, 1e-5)).toBeGreaterThan(8);
});

test('presets have names of their own', () => {
  expect(new Set(presets.map((preset) => toml({ ...plain, ...preset.form }))).size).toBe(presets.length);
});
