// What was heard of jobs. A page may be open for days, and a service may do thousands of jobs an hour.

import type { Job } from './types';

/** More are not kept. */
export const MOST = 4_000;

/** Each job as it was last heard of, those last that were heard of last; past the most, the first half is forgotten. */
export function after(
  before: ReadonlyMap<string, Job>,
  news: Iterable<Job>,
  most = MOST,
): { jobs: ReadonlyMap<string, Job>; forgot: boolean } {
  const jobs = new Map(before);
  for (const job of news) {
    if (job.revision < (jobs.get(job.id)?.revision ?? 0)) continue;
    jobs.delete(job.id);
    jobs.set(job.id, job);
  }
  const forgot = jobs.size > most;
  if (forgot) for (const id of [...jobs.keys()].slice(0, jobs.size - most / 2)) jobs.delete(id);
  return { jobs, forgot };
}
