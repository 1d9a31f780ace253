// All answers of a job.

import { ask } from './client';
import { decode, type View } from './view';

export async function answers(job: string, signal: AbortSignal): Promise<View> {
  const answer = await ask(`/v1/jobs/${encodeURIComponent(job)}/view`, { signal });
  return decode(await answer.arrayBuffer());
}
