// What a federation was told to do, in words.

import type { Choice, Configuration, Setup } from '../api/types';
import { attacks, robusts } from './form';
import { count, percent, plural, tenTo, three } from '../look/words';

/** A number that a person set: as it was set, not padded. */
export const exact = (n: number) => String(Number(n.toPrecision(3))).replace('-', '−');

type Items = { name: string; value: string }[];

/** The name and the numbers of a choice: `{ dirichlet: { alpha: 0.3 } }` is `['dirichlet', { alpha: 0.3 }]`. */
export function choice(of: Choice): [string, Record<string, number>] {
  if (typeof of === 'string') return [of, {}];
  const [name, numbers] = Object.entries(of)[0] ?? ['', {}];
  return [name, typeof numbers === 'object' ? (numbers as Record<string, number>) : { n: Number(numbers) }];
}

const SYMBOLS: Record<string, string> = {
  alpha: 'α',
  beta: 'β',
  beta_1: 'β₁',
  beta_2: 'β₂',
  lambda: 'λ',
  momentum: 'β',
  mu: 'µ',
  tau: 'τ',
  rate: 'η',
};
const numbers = (of: Record<string, unknown>) =>
  Object.entries(of)
    .filter(([name, value]) => name !== 'name' && typeof value === 'number')
    .map(([name, value]) => `${SYMBOLS[name] ?? name.replaceAll('_', ' ')} ${exact(value as number)}`)
    .join(', ');
const named = (name: string, of: Record<string, unknown>) => [name, numbers(of)].filter(Boolean).join(', ');

const PARTITIONS: Record<string, string> = {
  iid: 'all alike',
  dirichlet: 'Dirichlet',
  'dirichlet-by-class': 'Dirichlet by class',
  favourite: 'a favourite class each',
  shards: 'shards',
  quantity: 'unequal sizes',
};
export function partition({ clients }: Configuration): string {
  if (clients.column) return `by column ${clients.column}`;
  const [name, of] = choice(clients.partition);
  if (name === 'favourite') return `a favourite class each, ${percent(of['share'] ?? NaN, 0)} of its rows`;
  if (name === 'shards') return `${plural(of['per_client'] ?? 1, 'shard')} each`;
  return named(PARTITIONS[name] ?? name, of);
}

export function cohort({ cohort }: Configuration): string {
  const [name, of] = choice(cohort);
  if (name === 'fixed') return `${count(of['size'] ?? NaN)} drawn a round`;
  if (name === 'poisson') return `Poisson, q ${exact(of['rate'] ?? NaN)}`;
  return 'everyone';
}

export function effort({ learning }: Configuration): string {
  const [name, of] = choice(learning.effort);
  return plural(of['n'] ?? NaN, name === 'steps' ? 'step' : 'epoch');
}

/** Names of rules and attacks as a file says them, in words. */
const plain = (name: string) =>
  [...robusts, ...attacks].find(({ value }) => value === name)?.name.split(',')[0]! ??
  name.replaceAll('-', ' ');
export function strategy({ strategy, configuration }: Setup): string {
  if (configuration.forest) return 'forest';
  const { personal, robust } = configuration;
  const parts = [named(strategy, configuration.strategy)];
  if (robust) parts.push(`in place of the mean: ${named(plain(choice(robust)[0]), choice(robust)[1])}`);
  if (personal) parts.push(personal.name === 'ditto' ? `Ditto, λ ${personal.lambda}` : 'FedPer');
  return parts.join('; ');
}

export function model({ network, configuration: { forest } }: Setup): string {
  if (network) {
    const shape = network.layers.length ? network.layers.join('–') : 'convolutions';
    return `${shape}, ${count(network.parameters)} weights`;
  }
  if (!forest) return '–';
  const way = forest.way === 'pooled' ? 'of all clients together' : 'grown from sums';
  return `forest of ${count(forest.trees)} trees, ${way}`;
}

export function learns(setup: Setup): Items {
  const { configuration } = setup;
  const { learning, forest } = configuration;
  return [
    ...(forest ? [] : [{ name: 'Strategy', value: strategy(setup) }]),
    { name: 'Model', value: model(setup) },
    ...(forest
      ? []
      : [
          { name: 'Local work', value: `${effort(configuration)}, batch ${count(learning.batch)}` },
          {
            name: 'Steps',
            value: `${learning.stepping === 'adam-w' ? 'AdamW' : 'SGD'}, rate ${exact(learning.rate)}`,
          },
        ]),
    { name: 'Split', value: partition(configuration) },
    { name: 'Cohort', value: cohort(configuration) },
    {
      name: 'Held out',
      value: `${count(setup.held_out.rows)} rows, ${setup.held_out.common ? 'of nobody' : 'of all clients'}`,
    },
  ];
}

export function attack({ configuration, liars, clients }: Setup): string | undefined {
  if (!configuration.attack) return undefined;
  const [name, of] = choice(configuration.attack.kind);
  return `${count(liars.length)} of ${count(clients.length)} lie: ${named(plain(name), of)}`;
}

export function faults({ configuration }: Setup): string | undefined {
  const there = Object.entries(configuration.faults).filter(
    ([name, share]) => share && name !== 'away_rounds',
  );
  return there.map(([name, share]) => `${percent(share, 0)} ${name}`).join(', ') || undefined;
}

/** `clipped` of `answered` updates were longer than the clip norm in the round that is shown. */
export function protects(setup: Setup, clip: number | undefined, clipped: number, answered: number): Items {
  const { privacy, masks, configuration } = setup;
  const found: Items = [];
  const add = (name: string, value: string | undefined) => value && found.push({ name, value });
  const { forest } = configuration;
  if (clip !== undefined && !forest)
    add(
      'Clip norm',
      `${exact(clip)}, ${answered ? `${count(clipped)} of ${count(answered)} clipped` : 'none seen yet'}`,
    );
  if (configuration.adaptive_clipping)
    add('', `follows the ${percent(configuration.adaptive_clipping.quantile, 0)} quantile`);
  if (privacy) {
    const who = configuration.privacy?.mechanism === 'distributed' ? 'of the clients' : 'of the server';
    add('Noise', `discrete Gaussian ${who}, z ${three(privacy.noise_multiplier)}`);
    add('Accountant', `${privacy.accountant}, ${neighbours(configuration)}`);
  } else add('Noise', 'none');
  if (masks) add('Sums', `masked, ${count(masks.suffice)} of ${count(masks.neighbours)} neighbours suffice`);
  else add('Sums', 'open');
  const open = !forest
    ? 'each update'
    : forest.way === 'pooled'
      ? "each client's trees"
      : "each client's counts";
  add('Server sees', masks ? 'only sums; rows shown because simulated' : open);
  if (configuration.compression) add('Packed', packed(configuration.compression));
  add('Attack', attack(setup));
  add('Faults', faults(setup));
  return found;
}

function neighbours({ cohort, privacy }: Configuration): string {
  if (privacy?.mechanism === 'distributed') return 'one update its own or zeros';
  return choice(cohort)[0] === 'fixed' ? 'one client for another' : 'one client more or less';
}

function packed({ top_k, bits }: NonNullable<Configuration['compression']>): string {
  const parts = [top_k && `the largest ${percent(top_k, 0)}`, bits && `${bits} bits each`];
  return parts.filter(Boolean).join(', ');
}

/** δ as people write it: 10⁻⁵, 2 · 10⁻⁶. */
export function power(n: number): string {
  const exponent = Math.floor(Math.log10(n) + 1e-9);
  const lead = Number((n / 10 ** exponent).toPrecision(3));
  return `${lead === 1 ? '' : `${lead} · `}${tenTo(exponent)}`;
}
