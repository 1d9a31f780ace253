import { expect, test } from 'vitest';
import { changed, match } from './router.svelte';

test('patterns', () => {
  expect(match('/classify/:job/flows/:row', '/classify/01-a/flows/7')).toEqual({ job: '01-a', row: '7' });
  expect(match('/classify', '/classify/')).toEqual({});
  expect(match('/classify/:job', '/classify')).toBeUndefined();
  expect(match('/classify/:job', '/classify/%E0%A4%A')).toBeUndefined();
});

test('the query keeps what is not named', () => {
  expect(changed('?a=1&b=2', { b: '3' })).toBe('?a=1&b=3');
  expect(changed('?a=1', { a: undefined })).toBe('');
  expect(changed('', { a: '' })).toBe('');
});
