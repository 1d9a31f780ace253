import { expect, test } from 'vitest';
import { UNKNOWN, type View } from '../api/view';
import { none, order, pass, read, write, type Sort } from './filter';
import { medoid } from './medoid';
import { counts, histogram, kept } from './reading';

const view: View = {
  rows: 5,
  of: 5,
  job: 'j',
  model: 'm@1',
  classes: ['web', 'video'],
  categories: undefined,
  gaitOf: undefined,
  calibrated: true,
  missing: [],
  prediction: new Uint16Array([0, 0, 1, 1, UNKNOWN]),
  confidence: new Float32Array([1, 0.6, 0.8, 0.3, 0.1]),
  truth: new Uint16Array([0, 1, 1, UNKNOWN, 0]),
  server: { place: new Uint32Array([0, 1, 2, 0, 1]), names: ['10.0.0.10:443', '10.0.0.9:443', 'x:53'] },
  protocol: { place: new Uint16Array([0, 0, 1, 1, 1]), names: ['TCP', 'UDP'] },
  down: new Float64Array([500, NaN, 100, 900, 0]),
};
const all = order(view, { by: 'row', down: false });

test('counts move with the threshold', () => {
  expect([...counts(view, 0)]).toEqual([2, 2, 1]);
  expect([...counts(view, 0.61)]).toEqual([1, 1, 3]);
});

test('a confidence of one is in the last bin', () => {
  const bins = histogram(view);
  expect([bins[39], bins[4], bins.reduce((a, b) => a + b)]).toEqual([1, 1, 5]);
});

test('accuracy of what is kept is by labels where there are some', () => {
  const found = kept(view)!;
  expect(found.by).toBe('labels');
  expect(found.share[0]).toBeCloseTo(2 / 3);
  expect(found.share[60]).toBeCloseTo(2 / 3);
  expect(found.share[61]).toBe(1);
  expect(found.doubt[61]).toBeGreaterThan(0);
});

test('by confidence only where it is calibrated', () => {
  const { truth: _, ...unlabelled } = view;
  expect(kept(unlabelled)!.share[70]).toBeCloseTo(0.9);
  expect(kept({ ...unlabelled, calibrated: false })).toBeUndefined();
  expect(kept({ ...unlabelled, calibrated: undefined })).toBeUndefined();
});

const sorted = (by: Sort, down: boolean) => [...order(view, { by, down })];
test('orders', () => {
  expect(sorted('confidence', true)).toEqual([0, 2, 1, 3, 4]);
  expect(sorted('down', false)).toEqual([4, 2, 0, 3, 1]);
  expect(sorted('down', true)).toEqual([3, 0, 2, 4, 1]);
  // Addresses as people read them: 9 before 10.
  expect(sorted('server', false)).toEqual([1, 4, 0, 3, 2]);
});

const passed = (filter: Partial<ReturnType<typeof none>>, reject = 0) => [
  ...pass(view, all, { ...none(), ...filter }, reject),
];
test('filters', () => {
  expect(passed({})).toEqual([0, 1, 2, 3, 4]);
  expect(passed({ classes: ['web'] })).toEqual([0, 1]);
  expect(passed({ classes: ['unknown', 'web'] }, 0.7)).toEqual([0, 1, 3, 4]);
  expect(passed({ classes: ['no such'] }, 0.7)).toEqual([]);
  expect(passed({ range: { down: { from: 500, to: Infinity } } })).toEqual([0, 3]);
  expect(passed({ range: { up: { from: 0, to: 9 } } })).toEqual([]);
  expect(passed({ protocol: 'TCP' })).toEqual([0, 1]);
  expect(passed({ server: '10.0.0.9:443' })).toEqual([1, 4]);
  expect(passed({ truth: 'wrong' })).toEqual([1]);
  expect(passed({ truth: 'video' })).toEqual([1, 2]);
  expect(passed({ text: '0.9' })).toEqual([1, 4]);
  expect(passed({ text: 'VIDEO' })).toEqual([2, 3]);
});

test('what is written is read again', () => {
  const filter = {
    ...none(),
    classes: ['a,b', 'unknown'],
    range: { down: { from: 10_000, to: Infinity }, confidence: { from: -Infinity, to: 0.6 } },
    text: 'x & y',
  };
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(write(filter))) if (value) params.set(name, value);
  expect(read(params)).toEqual(filter);
  expect(read(new URLSearchParams('down=a..b&up=..&start=7'))).toEqual({
    ...none(),
    range: { up: { from: -Infinity, to: Infinity } },
  });
});

test('the medoid is a flow among its like', () => {
  const flows = [[100, -1000], [100, -1100], [-1400, -1040], [100, -1050], []];
  const gait = {
    begin: Uint32Array.from([0, 2, 4, 6, 8, 8]),
    size: Int16Array.from(flows.flat()),
    time: new Float32Array(8),
  };
  expect(medoid({ ...view, gait }, [0, 1, 2, 3, 4])).toBe(3);
  expect(medoid({ ...view, gait }, [4])).toBeUndefined();
});

test('ranges in an address are numbers as JavaScript writes them', () => {
  const range = (said: string) => read(new URLSearchParams(`confidence=${said}`)).range.confidence;
  expect(range('0.4..0.6')).toEqual({ from: 0.4, to: 0.6 });
  expect(range('1e%2B23..')).toEqual({ from: 1e23, to: Infinity });
  expect(range('x..1')).toBeUndefined();
});
