import { expect, test } from 'vitest';
import { none } from '../classify/filter';
import { UNKNOWN, type View } from '../api/view';
import { differences, examples, gaitsOf, rowsOfClasses, type Gaits } from './compare';
import { groupsOf, mixOf, within } from './groups';

const flows = [
  { size: [100, -1400, -1400, -1400], gap: [0, 0.02, 0, 0] },
  { size: [120, -1400], gap: [0, 0.02] },
  { size: [50, -60, 50, -60], gap: [0, 0.02, 0.2, 0.02] },
  { size: [], gap: [] },
];
const begin = new Uint32Array(flows.length + 1);
flows.forEach((flow, i) => (begin[i + 1] = begin[i]! + flow.size.length));
const view: View = {
  rows: 4,
  of: 4,
  job: 'j',
  model: 'm@1',
  classes: ['video', 'chat'],
  categories: undefined,
  calibrated: true,
  gaitOf: 'payload',
  missing: [],
  prediction: new Uint16Array([0, 0, 1, UNKNOWN]),
  confidence: new Float32Array([0.9, 0.4, 0.8, 0.1]),
  server: { place: new Uint32Array([1, 1, 0, 4294967295]), names: ['a:1', 'b:2'] },
  gait: {
    begin,
    size: Int16Array.from(flows.flatMap((flow) => flow.size)),
    time: Float32Array.from(
      flows.flatMap((flow) => {
        let at = 0;
        return flow.gap.map((gap) => (at += gap));
      }),
    ),
  },
};

test('medians of all packets of all rows', () => {
  const found = gaitsOf(view, [0, 1]);
  expect(found).toMatchObject({ flows: 2, packets: 6, up: 100, down: 1400, burst: 2 });
  expect(found.share).toBeCloseTo(1 / 3);
  expect(found.gap).toBe(0);
  const chat = gaitsOf(view, [2]);
  // 200 ms of silence part two bursts.
  expect(chat).toMatchObject({ up: 50, down: 60, burst: 2 });
  expect(chat.gap / 0.02).toBeCloseTo(1, 1);
});
test('without packets nothing is counted', () => {
  expect(gaitsOf(view, [3])).toMatchObject({ packets: 0, up: NaN, gap: NaN, burst: NaN, share: NaN });
});

const flat = (text: string) => text.replaceAll('\u2009', ' ');
const plain: Gaits = { flows: 9, packets: 99, up: 100, down: 1400, gap: 0.02, burst: 4, share: 0.5 };
test('the largest difference comes first, what is alike last', () => {
  const other = { ...plain, down: 110, gap: 0.00002, share: 0.25, burst: NaN };
  const said = differences(plain, other, ['video', 'voice']).map((of) => flat(`${of.name}: ${of.says}`));
  expect(said).toEqual([
    'Bursts: 4 packets in video, none in voice',
    'Gaps: 20 ms against below 0.1 ms: 200 times as long in video',
    'Packets down: 1400 B against 110 B: 13 times as large in video',
    'Share up: 50 % against 25 %: twice as much in video',
    'Packets up: alike, 100 B and 100 B',
  ]);
});

test('short gaps keep their tenth', () => {
  const [first] = differences({ ...plain, gap: 0.0002 }, { ...plain, gap: 0.0008 }, ['video', 'file']);
  expect(flat(first!.says)).toBe('0.2 ms against 0.8 ms: 4 times as long in file');
});

test('typical flows are real ones of the class', () => {
  expect(rowsOfClasses(view)).toEqual([[0, 1], [2]]);
  const found = examples(view, [0, 1]);
  expect(found.toSorted()).toEqual([0, 1]);
  expect(examples(view, [3])).toEqual([]);
});

test('groups, the largest first', () => {
  const servers = groupsOf(view, [0, 1, 2, 3], 'server', 0);
  expect(servers.map((of) => [of.key, of.rows])).toEqual([
    ['b:2', [0, 1]],
    [undefined, [3]],
    ['a:1', [2]],
  ]);
  expect(groupsOf(view, [0, 1, 2, 3], 'class', 0.5).map((of) => of.key)).toEqual([
    'unknown',
    'chat',
    'video',
  ]);
  expect(groupsOf(view, [0, 1], 'protocol', 0).map((of) => of.key)).toEqual([undefined]);
  expect([...mixOf(view, [0, 1, 2, 3], 0.5)]).toEqual([1, 1, 2]);
});
test('a group is a filter', () => {
  expect(within(none(), 'class', 'chat').classes).toEqual(['chat']);
  expect(within(none(), 'server', 'a:1').server).toBe('a:1');
});
