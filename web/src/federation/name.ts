import type { Job } from '../api/types';

/** What a run is called: as its model, else as its table, else by its id. */
export const nameOf = (job: Job) => job.name ?? job.input?.name ?? `Run ${job.id.slice(-8)}`;
