// All answers of a job.

import { ask, Problem } from './client';
import { viewOfTable } from './fallback';
import type { Job } from './types';
import { decode, type View } from './view';

export async function answers(job: Job, signal: AbortSignal): Promise<View> {
  try {
    const answer = await ask(`/v1/jobs/${encodeURIComponent(job.id)}/view`, { signal });
    return decode(await answer.arrayBuffer());
  } catch (error) {
    // A server that has the job but not this route.
    if (error instanceof Problem && error.status === 404 && job.state === 'succeeded')
      return viewOfTable(job, signal);
    throw error;
  }
}
