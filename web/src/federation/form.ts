// What a person sets, and the federation.toml that it makes.

export interface Form {
  name: string;
  rows: 'made' | 'table';
  label: string;
  perClient: number;
  heldOut: number;
  dealing: 'iid' | 'favourite' | 'dirichlet' | 'dirichlet-by-class' | 'shards' | 'quantity' | 'column';
  /** Share of the favourite class, α, or shards each, as the dealing has it. */
  amount: number;
  column: string;
  clients: number;
  cohort: 'everyone' | 'fixed' | 'poisson';
  size: number;
  chance: number;
  rounds: number;
  epochs: number;
  batch: number;
  rate: number;
  stepping: 'sgd' | 'adam-w';
  strategy: string;
  /** The number of the strategy, where it has one that is worth setting here. */
  parameter: number;
  robust: string;
  personal: 'none' | 'ditto' | 'fed-per';
  learns: 'mlp' | 'cnn' | 'histogram' | 'pooled';
  hidden: string;
  dropout: number;
  trees: number;
  privacy: 'off' | 'central' | 'distributed';
  epsilon: number;
  delta: number;
  clip: number;
  /** 0 has the noise found that the budget allows. */
  noise: number;
  secure: 'off' | 'on';
  attack: string;
  liars: number;
  lost: number;
  late: number;
  wrong: number;
  seed: number;
}

export const plain: Form = {
  name: '',
  rows: 'made',
  label: 'label',
  perClient: 300,
  heldOut: 0.2,
  dealing: 'iid',
  amount: 0.7,
  column: '',
  clients: 3,
  cohort: 'everyone',
  size: 5,
  chance: 0.5,
  rounds: 5,
  epochs: 2,
  batch: 32,
  rate: 0.1,
  stepping: 'sgd',
  strategy: 'fed-avg',
  parameter: 0,
  robust: '',
  personal: 'none',
  learns: 'mlp',
  hidden: '64, 32',
  dropout: 0.2,
  trees: 50,
  privacy: 'off',
  epsilon: 8,
  delta: 1e-5,
  clip: 1,
  noise: 0,
  secure: 'off',
  attack: '',
  liars: 0.2,
  lost: 0,
  late: 0,
  wrong: 0,
  seed: 1,
};

export interface Preset {
  name: string;
  says: string;
  form: Partial<Form>;
}
export const presets: Preset[] = [
  { name: 'The original demo', says: '3 clients, 5 rounds, all alike', form: { name: 'four-classes' } },
  {
    name: 'Skewed',
    says: '20 clients of few classes each, SCAFFOLD',
    form: {
      name: 'skewed',
      clients: 20,
      rounds: 40,
      dealing: 'dirichlet',
      amount: 0.3,
      strategy: 'scaffold',
      rate: 0.02,
    },
  },
  {
    name: 'Private',
    says: '40 clients, ε 8, masked sums',
    form: {
      name: 'private',
      clients: 40,
      rounds: 60,
      dealing: 'dirichlet',
      amount: 0.5,
      privacy: 'central',
      secure: 'on',
      delta: 1e-4,
      lost: 0.05,
    },
  },
  {
    name: 'Attacked',
    says: '20 clients, 4 of them lie, multi-Krum',
    form: {
      name: 'attacked',
      clients: 20,
      rounds: 40,
      dealing: 'favourite',
      amount: 0.5,
      attack: 'scaling',
      liars: 0.2,
      robust: 'multi-krum',
      lost: 0.05,
      rate: 0.03,
    },
  },
];

export interface Named {
  value: string;
  name: string;
}
/** Strategies, and the number of each that may be set: its key, its symbol, its default. */
export const strategies: (Named & { key?: string; symbol?: string; default?: number })[] = [
  { value: 'fed-avg', name: 'FedAvg' },
  { value: 'fed-prox', name: 'FedProx', key: 'mu', symbol: 'µ', default: 0.01 },
  { value: 'fed-avg-m', name: 'FedAvgM', key: 'momentum', symbol: 'momentum', default: 0.9 },
  { value: 'fed-adagrad', name: 'FedAdagrad', key: 'rate', symbol: 'server rate', default: 0.01 },
  { value: 'fed-adam', name: 'FedAdam', key: 'rate', symbol: 'server rate', default: 0.01 },
  { value: 'fed-yogi', name: 'FedYogi', key: 'rate', symbol: 'server rate', default: 0.01 },
  { value: 'scaffold', name: 'SCAFFOLD', key: 'rate', symbol: 'server rate', default: 1 },
  { value: 'fed-nova', name: 'FedNova' },
  { value: 'q-fed-avg', name: 'q-FedAvg', key: 'q', symbol: 'q', default: 1 },
  { value: 'fed-buff', name: 'FedBuff', key: 'buffer', symbol: 'buffer', default: 10 },
];
export const robusts: Named[] = [
  { value: '', name: 'The mean' },
  { value: 'median', name: 'Median' },
  { value: 'trimmed-mean', name: 'Trimmed mean' },
  { value: 'geometric-median', name: 'Geometric median' },
  { value: 'krum', name: 'Krum' },
  { value: 'multi-krum', name: 'Multi-Krum' },
  { value: 'bulyan', name: 'Bulyan' },
  { value: 'norm-clipping', name: 'Norm clipping' },
];
export const attacks: Named[] = [
  { value: '', name: 'Nobody lies' },
  { value: 'sign-flip', name: 'Sign flip' },
  { value: 'scaling', name: 'Scaling, ten times backwards' },
  { value: 'label-flip', name: 'Label flip' },
  { value: 'colluding-flip', name: 'Colluding label flip' },
  { value: 'gaussian-noise', name: 'Gaussian noise' },
  { value: 'free-rider', name: 'Free rider' },
  { value: 'backdoor', name: 'Backdoor' },
];
export const dealings: (Named & { symbol?: string; default?: number })[] = [
  { value: 'iid', name: 'All alike (IID)' },
  { value: 'favourite', name: 'A favourite class each', symbol: 'share of it', default: 0.7 },
  { value: 'dirichlet', name: 'Dirichlet, equal sizes', symbol: 'α', default: 0.3 },
  { value: 'dirichlet-by-class', name: 'Dirichlet by class', symbol: 'α', default: 0.5 },
  { value: 'shards', name: 'Shards', symbol: 'shards each', default: 2 },
  { value: 'quantity', name: 'Unequal sizes', symbol: 'α', default: 0.5 },
  { value: 'column', name: 'By a column of the table' },
];

const text = (value: string) => JSON.stringify(value);

/** The file. Only what differs from its defaults, so that it reads as what was chosen. */
export function toml(form: Form): string {
  const forest = form.learns === 'histogram' || form.learns === 'pooled';
  const top = [`seed = ${form.seed}`, `rounds = ${form.rounds}`];
  const sections: string[] = [];
  const section = (name: string, lines: (string | false | undefined | '')[]) => {
    const there = lines.filter(Boolean);
    if (there.length) sections.push(`[${name}]\n${there.join('\n')}\n`);
  };
  if (form.cohort === 'fixed') top.push(`cohort = { fixed = { size = ${form.size} } }`);
  if (form.cohort === 'poisson') top.push(`cohort = { poisson = { rate = ${form.chance} } }`);
  if (form.secure === 'on' && form.privacy === 'off' && !forest) top.push(`clip_norm = ${form.clip}`);
  if (form.robust) top.push(`robust = ${robust(form)}`);

  section('data', [
    form.rows === 'table' && `label = ${text(form.label)}`,
    form.rows === 'made' && form.perClient !== 300 && `rows = ${form.perClient}`,
    form.heldOut !== 0.2 && `held_out = ${form.heldOut}`,
  ]);
  section(
    'clients',
    form.dealing === 'column'
      ? [`column = ${text(form.column)}`]
      : [`count = ${form.clients}`, `partition = ${partition(form)}`],
  );
  if (forest) {
    section('forest', [`way = ${text(form.learns)}`, `trees = ${form.trees}`]);
  } else {
    section('model', [
      form.learns !== 'mlp' && `estimator = ${text(form.learns)}`,
      form.learns === 'mlp' &&
        form.hidden.replaceAll(' ', '') !== '64,32' &&
        `hidden = [${form.hidden
          .split(/[\s,–-]+/)
          .filter(Boolean)
          .join(', ')}]`,
      form.dropout !== 0.2 && `dropout = ${form.dropout}`,
    ]);
    section('learning', [
      `effort = { epochs = ${form.epochs} }`,
      `batch = ${form.batch}`,
      `rate = ${form.rate}`,
      form.stepping !== 'sgd' && `stepping = ${text(form.stepping)}`,
    ]);
    const of = strategies.find(({ value }) => value === form.strategy);
    section('strategy', [
      `name = ${text(form.strategy)}`,
      of?.key && form.parameter > 0 && `${of.key} = ${form.parameter}`,
    ]);
    if (form.personal === 'ditto') section('personal', ['name = "ditto"', 'lambda = 0.1']);
    if (form.personal === 'fed-per') section('personal', ['name = "fed-per"', 'parts = ["last"]']);
  }
  if (form.privacy !== 'off')
    section('privacy', [
      `epsilon = ${form.epsilon}`,
      `delta = ${form.delta}`,
      !forest && `clip_norm = ${form.clip}`,
      form.noise > 0 && `noise_multiplier = ${form.noise}`,
      form.privacy === 'distributed' && 'mechanism = "distributed"',
    ]);
  // Noise of the clients hides nothing from whoever sees their updates.
  if (form.secure === 'on' || form.privacy === 'distributed') section('secure', ['lost_share = 0.2']);
  section('faults', [
    form.lost > 0 && `lost = ${form.lost}\naway_rounds = 3`,
    form.late > 0 && `late = ${form.late}`,
    form.wrong > 0 && `wrong = ${form.wrong}`,
  ]);
  if (form.attack) section('attack', [`share = ${form.liars}`, `kind = ${attack(form.attack)}`]);
  return [top.join('\n') + '\n', ...sections].join('\n');
}

function partition({ dealing, amount }: Form): string {
  switch (dealing) {
    case 'favourite':
      return `{ favourite = { share = ${amount} } }`;
    case 'shards':
      return `{ shards = { per_client = ${Math.max(1, Math.round(amount))} } }`;
    case 'iid':
    case 'column':
      return '"iid"';
    default:
      return `{ ${dealing} = { alpha = ${amount} } }`;
  }
}

/** A rule stands as many liars as there are, or as it can of so few clients. */
function robust({ robust, attack, liars, clients }: Form): string {
  const f = Math.max(1, attack ? Math.round(liars * clients) : 1);
  switch (robust) {
    case 'median':
      return '"median"';
    case 'trimmed-mean':
      return '{ trimmed-mean = { beta = 0.2 } }';
    case 'krum':
    case 'multi-krum':
    case 'bulyan':
      return `{ ${robust} = { f = ${f} } }`;
    default:
      return `{ ${robust} = {} }`;
  }
}

function attack(name: string): string {
  switch (name) {
    case 'sign-flip':
      return '"sign-flip"';
    case 'scaling':
      return '{ scaling = { by = -10.0 } }';
    case 'colluding-flip':
      return '{ colluding-flip = { seed = 1 } }';
    case 'gaussian-noise':
      return '{ gaussian-noise = { deviation = 1.0 } }';
    case 'free-rider':
      return '{ free-rider = { gives = "zeros" } }';
    case 'backdoor':
      return '{ backdoor = { trigger = [[0, 1234.0]], target = 0, share = 0.5 } }';
    default:
      return `{ ${name} = {} }`;
  }
}

/** Fields that a refusal may be about, each by what its message says. The first that fits is meant. */
const SAID: [keyof Form, RegExp][] = [
  ['rounds', /number of rounds|`rounds`/i],
  ['noise', /^(?!.*no noise multiplier).*noise.multiplier/i],
  ['delta', /\bdelta\b/i],
  ['epsilon', /epsilon|budget/i],
  ['robust', /against \d+ liars|robust|krum|median|bulyan|trimmed/i],
  ['cohort', /cohort|sampling rate|coins/i],
  ['secure', /secure|masks?\b|threshold|neighbours/i],
  ['clip', /clip.?norm/i],
  ['clients', /number of clients|rows cannot give/i],
  ['column', /clients\.column|no column '(?!label)/i],
  ['label', /label|no column/i],
  ['amount', /alpha|per_client|share is|partition/i],
  ['epochs', /epochs/i],
  ['batch', /batch/i],
  ['hidden', /hidden|layer/i],
  ['dropout', /dropout/i],
  ['trees', /trees|forest/i],
  ['liars', /clients that lie/i],
  ['attack', /attack|trigger|backdoor/i],
  ['lost', /faults/i],
  ['heldOut', /held out/i],
  ['strategy', /strategy|fedbuff|scaffold/i],
  ['personal', /personal|client's own/i],
  ['rate', /\brate\b/i],
  ['name', /name/i],
];
export const fieldOf = (detail: string): keyof Form | undefined =>
  SAID.find(([, said]) => said.test(detail))?.[0];

/** What a refusal says, without what it is about. */
export function said(detail: string): string {
  const rest = detail.replace(/^The configuration: /, '');
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

/**
 * Epsilon of so many rounds over everyone at a noise multiplier: the Gaussian mechanism, added up by Rényi divergence
 * (Mironov 2017, proposition 7), to epsilon and delta as Canonne, Kamath and Steinke 2020, proposition 12.
 */
export function epsilonOf(rounds: number, noise: number, delta: number): number {
  let best = Infinity;
  for (let order = 1.05; order < 1e5; order *= 1.02) {
    const divergence = (rounds * order) / (2 * noise * noise);
    const epsilon = divergence + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1);
    best = Math.min(best, epsilon);
  }
  return Math.max(0, best);
}

/** The noise multiplier at which so many rounds over everyone spend epsilon. */
export function noiseOf(rounds: number, epsilon: number, delta: number): number {
  let [low, high] = [0.01, 1e4];
  while (high > low * 1.001) {
    const middle = Math.sqrt(low * high);
    if (epsilonOf(rounds, middle, delta) <= epsilon) high = middle;
    else low = middle;
  }
  return high;
}
