import { expect, test } from 'vitest';
import { looks } from './slots';

const slots = (classes: string[], counts?: number[], categories?: string[]) =>
  looks(classes, counts, categories && ((i) => categories[i])).map((look) => look.slot);

test('kinds of use have their slots whatever their order', () => {
  expect(slots(['chat', 'game', 'transfer', 'video', 'voice', 'web'])).toEqual([5, 4, 6, 1, 3, 2]);
  expect(slots(['web', 'video'])).toEqual([2, 1]);
});

test("our own words are said in full, a model's own are kept", () => {
  expect(looks(['video', 'VoIP']).map((look) => look.name)).toEqual(['Video on demand', 'VoIP']);
});

test('joints and case do not matter', () => {
  expect(slots(['Cloud_Game', 'FILE-TRANSFER', 'Web Browsing'])).toEqual([7, 6, 2]);
});

test('strangers take free slots by frequency, then grey', () => {
  expect(slots(['Network', 'VoIP', 'Web'])).toEqual([1, 3, 2]);
  expect(slots(['a', 'b', 'web'], [1, 9, 5])).toEqual([3, 1, 2]);
  expect(slots(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])).toEqual([1, 2, 3, 4, 5, 6, 7, 0]);
});

test('an application takes the colour of its category and keeps its name', () => {
  const found = looks(['tube', 'talk'], [], (i) => ['video', 'voice'][i]);
  expect(found).toEqual([
    { slot: 1, name: 'Tube', short: 'Tube' },
    { slot: 3, name: 'Talk', short: 'Talk' },
  ]);
});

test('unknown is grey', () => {
  expect(slots(['unknown'])).toEqual([0]);
});
