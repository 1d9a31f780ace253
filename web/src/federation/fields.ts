// The fields of the form, as a list: what each is called, what it takes, and when it is there.

import { attacks, dealings, robusts, strategies, type Form, type Named } from './form';

export interface Field {
  key: keyof Form | 'file';
  name: string;
  note?: string | ((form: Form) => string | undefined);
  /** Of a number: least, most, step. Neither these nor options: a text. */
  range?: [least: number, most: number, step: number | 'any'];
  options?: Named[] | ((form: Form) => Named[]);
  when?: (form: Form) => boolean;
}

const isTable = (form: Form) => form.rows === 'table';
export const isForest = ({ learns }: Form) => learns === 'histogram' || learns === 'pooled';
const isNetwork = (form: Form) => !isForest(form);
const isPrivate = (form: Form) => form.privacy !== 'off';
const dealing = (form: Form) => dealings.find(({ value }) => value === form.dealing);
const strategy = (form: Form) => strategies.find(({ value }) => value === form.strategy);
const share = (name: keyof Form) => (form: Form) => `${Math.round(Number(form[name]) * 100)} %`;
const named = (options: Record<string, string>): Named[] =>
  Object.entries(options).map(([value, name]) => ({ value, name }));

export const groups: { name: string; fields: Field[] }[] = [
  {
    name: 'Who has what',
    fields: [
      {
        key: 'rows',
        name: 'Rows',
        options: named({ made: 'Made, of four classes', table: 'A table with labels' }),
      },
      { key: 'file', name: 'Table', note: 'or .parquet, .jsonl', when: isTable },
      { key: 'label', name: 'Column of labels', when: isTable },
      { key: 'perClient', name: 'Rows of a client', range: [1, 1e5, 1], when: (form) => !isTable(form) },
      { key: 'heldOut', name: 'Held out', note: 'share', range: [0, 0.9, 'any'] },
      {
        key: 'dealing',
        name: 'Dealt',
        options: (form) => dealings.filter(({ value }) => value !== 'column' || isTable(form)),
      },
      { key: 'column', name: 'Column of clients', when: (form) => form.dealing === 'column' },
      {
        key: 'amount',
        name: 'How unlike',
        note: (form) => dealing(form)?.symbol,
        range: [0, 1e9, 'any'],
        when: (form) => !!dealing(form)?.symbol,
      },
      { key: 'clients', name: 'Clients', range: [1, 1000, 1], when: (form) => form.dealing !== 'column' },
      {
        key: 'cohort',
        name: 'Asked in a round',
        options: named({
          everyone: 'Everyone',
          fixed: 'So many, drawn',
          poisson: 'Each by a coin (Poisson)',
        }),
      },
      { key: 'size', name: 'How many', range: [1, 1000, 1], when: (form) => form.cohort === 'fixed' },
      {
        key: 'chance',
        name: 'Chance',
        note: 'q',
        range: [0, 1, 'any'],
        when: (form) => form.cohort === 'poisson',
      },
    ],
  },
  {
    name: 'How it learns',
    fields: [
      { key: 'rounds', name: 'Rounds', range: [1, 1e6, 1], when: isNetwork },
      {
        key: 'learns',
        name: 'What is learnt',
        options: named({
          mlp: 'Perceptron',
          cnn: 'Convolutions (packets in order)',
          histogram: 'Forest, grown from sums',
          pooled: 'Forest, of all clients together',
        }),
      },
      { key: 'trees', name: 'Trees', range: [1, 1000, 1], when: isForest },
      { key: 'strategy', name: 'Strategy', options: strategies, when: isNetwork },
      {
        key: 'parameter',
        name: 'Its number',
        note: (form) => strategy(form)?.symbol,
        range: [0, 1e6, 'any'],
        when: (form) => isNetwork(form) && !!strategy(form)?.key,
      },
      { key: 'epochs', name: 'Local epochs', range: [1, 100, 1], when: isNetwork },
      { key: 'rate', name: 'Learning rate', range: [0, 10, 'any'], when: isNetwork },
      { key: 'batch', name: 'Batch', note: 'rows', range: [1, 65_536, 1], when: isNetwork },
      {
        key: 'stepping',
        name: 'Steps by',
        options: named({ sgd: 'SGD', 'adam-w': 'AdamW' }),
        when: isNetwork,
      },
      { key: 'hidden', name: 'Hidden layers', note: 'widths', when: (form) => form.learns === 'mlp' },
      { key: 'dropout', name: 'Dropout', range: [0, 0.9, 'any'], when: isNetwork },
      { key: 'robust', name: 'Combined by', options: robusts, when: isNetwork },
      {
        key: 'personal',
        name: 'Stays with a client',
        options: named({
          none: 'Nothing',
          ditto: 'A model of its own (Ditto)',
          'fed-per': 'The last layer (FedPer)',
        }),
        when: isNetwork,
      },
    ],
  },
  {
    name: 'How it protects',
    fields: [
      {
        key: 'privacy',
        name: 'Noise',
        options: named({ off: 'None', central: 'Of the server', distributed: 'Of the clients, under masks' }),
      },
      {
        key: 'secure',
        name: 'The server sees',
        options: named({ off: 'Each update', on: 'Sums only (secure aggregation)' }),
        when: (form) => form.privacy !== 'distributed',
      },
      { key: 'epsilon', name: 'Budget', note: 'ε', range: [0, 1e4, 'any'], when: isPrivate },
      { key: 'delta', name: 'At', note: 'δ', range: [0, 1, 'any'], when: isPrivate },
      { key: 'noise', name: 'Noise multiplier', note: '0 finds it', range: [0, 1e4, 'any'], when: isPrivate },
      {
        key: 'clip',
        name: 'Clip norm',
        note: 'L2',
        range: [0, 1e6, 'any'],
        when: (form) => isNetwork(form) && (isPrivate(form) || form.secure === 'on'),
      },
    ],
  },
  {
    name: 'What goes wrong',
    fields: [
      { key: 'attack', name: 'Attack', options: attacks },
      {
        key: 'liars',
        name: 'Who lies',
        note: ({ liars, clients }) => `${Math.round(liars * clients)} of ${clients}`,
        range: [0, 1, 'any'],
        when: (form) => !!form.attack,
      },
      { key: 'lost', name: 'Lost in a round', note: share('lost'), range: [0, 1, 'any'] },
      { key: 'late', name: 'Late', note: share('late'), range: [0, 1, 'any'] },
      { key: 'wrong', name: 'Wrong answers', note: share('wrong'), range: [0, 1, 'any'] },
      { key: 'seed', name: 'Seed', range: [0, Number.MAX_SAFE_INTEGER, 1] },
    ],
  },
];

/** What another choice brings along: its own number at its default. */
export function changed(form: Form, key: Field['key']): void {
  if (key === 'dealing') form.amount = dealing(form)?.default ?? form.amount;
  if (key === 'strategy') form.parameter = strategy(form)?.default ?? 0;
  if (key === 'rows' && form.dealing === 'column') form.dealing = 'iid';
}
