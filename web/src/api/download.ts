// Links to results are signed and end; one that is about to is asked for anew before it is followed.

import { api } from './client';
import type { Job } from './types';

/** For a link's click. */
export const download = (job: Job) => async (event: MouseEvent) => {
  const link = event.currentTarget as HTMLAnchorElement;
  const ends = Number(new URL(link.href).searchParams.get('expires'));
  if (ends * 1000 > Date.now() + 60_000) return;
  event.preventDefault();
  const fresh = await api.job(job.id).catch(() => undefined);
  // Without a new one the old one says what is wrong.
  location.href = fresh?.links.result ?? link.href;
};
