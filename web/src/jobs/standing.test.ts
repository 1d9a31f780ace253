import { expect, test } from 'vitest';
import type { Job } from '../api/types';
import { joined, merged, mix, nameOf, pageOf, ran, rowsOf, standing } from './standing';

const job = (of: Partial<Job>): Job => ({
  id: 'a',
  kind: 'predict',
  state: 'running',
  attempt: 1,
  created: '',
  links: { job: '' },
  revision: 1,
  ...of,
});
const ids = (jobs: Job[]) => jobs.map((of) => of.id);

test('the stream knows later than what was fetched, never earlier', () => {
  const fetched = [job({ id: 'b', revision: 5, state: 'succeeded' }), job({ id: 'a' })];
  const live = [
    job({ id: 'b', revision: 4 }),
    job({ id: 'a', revision: 2, state: 'paused' }),
    job({ id: 'c' }),
  ];
  const all = merged(fetched, live);
  expect(ids(all)).toEqual(['c', 'b', 'a']);
  expect(all.map((of) => of.state)).toEqual(['running', 'succeeded', 'paused']);
  expect(ids(merged(fetched, live, { states: ['paused', 'succeeded'] }))).toEqual(['b', 'a']);
  expect(ids(merged(fetched, live, { kind: 'fit' }))).toEqual([]);
});

test('a page joins those before it where they overlap', () => {
  const of = (...names: string[]) => names.map((id) => job({ id }));
  // What lies within the newest and is not among them is no longer wanted.
  expect(ids(joined(of('d', 'c', 'b', 'a'), of('e', 'c', 'b'))!)).toEqual(['e', 'c', 'b', 'a']);
  expect(joined(of('c', 'b', 'a'), of('f', 'e', 'd'))).toBeUndefined();
  expect(joined([], of('a'))).toBeUndefined();
  expect(joined(of('a'), [])).toBeUndefined();
});

const result = { rows: 5, unknown: 1, classes: { web: 1, video: 3 } };
test('names, pages, rows', () => {
  expect(
    nameOf(job({ input: { name: 'x.pcap', octets: 1, content: 'capture', rows: 0, made: false } })),
  ).toBe('x.pcap');
  expect(nameOf(job({ kind: 'simulate', result: { model: 'fed@2' } }))).toBe('fed@2');
  expect(nameOf(job({ kind: 'simulate', name: 'ours', result: { model: 'fed@2' } }))).toBe('ours');
  expect(nameOf(job({ kind: 'simulate', id: '0123456789' }))).toBe('Run 23456789');
  expect(pageOf(job({}))).toBe('/classify/a');
  expect(pageOf(job({ kind: 'simulate' }))).toBe('/federation/a');
  expect(pageOf(job({ kind: 'fit', result: { model: 'kinds@3' } }))).toBe('/models/kinds/3');
  expect(pageOf(job({ kind: 'fit' }))).toBe('/jobs/a');
  expect(rowsOf(job({ result }))).toBe(5);
  expect(
    rowsOf(job({ input: { name: '', octets: 1, content: 'capture', rows: 0, made: false } })),
  ).toBeUndefined();
});

test('the mix, the most first, with the unknown last', () => {
  expect(mix(job({ result }))?.map((of) => [of.slot, of.count])).toEqual([
    [1, 3],
    [2, 1],
    [0, 1],
  ]);
  expect(mix(job({}))).toBeUndefined();
  expect(mix(job({ kind: 'fit', result: { model: 'm@1' } }))).toBeUndefined();
});

test('how far', () => {
  const flat = (text: string) => text.replaceAll('\u2009', ' ');
  const rounds = { stage: 'learning', done: 12, total: 40, unit: 'rounds', rate: 3, seconds_left: 9.3 };
  const found = standing(job({ progress: rounds }));
  expect([found.share, found.amount, found.rate, flat(found.left)]).toEqual([
    0.3,
    '12 of 40 rounds',
    '3 rounds/s',
    '9.3 s left',
  ]);
  expect(flat(standing(job({ progress: { done: 1500, unit: 'octets' } })).amount)).toBe('1.50 kB');
  expect(standing(job({})).share).toBeUndefined();
});

test('how long it ran', () => {
  expect(ran(job({ started: '1970-01-01T00:00:10Z', ended: '1970-01-01T00:00:12Z' }), 99)).toBe(2);
  expect(ran(job({ started: '1970-01-01T00:00:10Z' }), 99)).toBe(89);
  expect(ran(job({ started: '1970-01-01T00:00:10Z', state: 'queued' }), 99)).toBeNaN();
  expect(ran(job({}), 99)).toBeNaN();
});
