import { expect, test } from 'vitest';
import { after } from './heard';
import type { Job } from './types';

const job = (id: string, revision: number): Job => ({
  id,
  kind: 'predict',
  state: 'running',
  attempt: 1,
  created: '',
  links: { job: '' },
  revision,
});

test('later news of a job stand, earlier do not', () => {
  const { jobs } = after(new Map([['a', job('a', 5)]]), [job('a', 4), job('b', 6), job('b', 7)]);
  expect([...jobs.values()].map((of) => [of.id, of.revision])).toEqual([
    ['a', 5],
    ['b', 7],
  ]);
});

test('of many jobs those stay that were heard of last', () => {
  let heard: ReadonlyMap<string, Job> = new Map();
  let forgot = 0;
  for (let revision = 1; revision <= 1000; revision++) {
    // One goes on and on beside the others.
    const now = after(heard, [job(revision % 3 ? `job ${revision}` : 'long', revision)], 10);
    heard = now.jobs;
    forgot += Number(now.forgot);
    expect(heard.size).toBeLessThanOrEqual(10);
    expect([...heard.values()].at(-1)!.revision).toBe(revision);
  }
  expect(heard.get('long')!.revision).toBe(999);
  expect(forgot).toBeGreaterThan(50);
  expect(forgot).toBeLessThan(200);
});
