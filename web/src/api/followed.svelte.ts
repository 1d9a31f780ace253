// A job by its id, followed: what the stream says of it, and what was before the stream began; and the rows of its answers, once it has some.

import { untrack } from 'svelte';
import { answers } from './answers';
import { api, asProblem, type Problem } from './client';
import { events } from './events.svelte';
import type { Job } from './types';
import type { View } from './view';

/** Of the same job the one that is newer. */
export function newer(live: Job | undefined, known: Job | undefined): Job | undefined {
  return live && live.revision >= (known?.revision ?? 0) ? live : known;
}

/** To be made while a component begins; `id` is looked at anew whenever it changes. */
export class FollowedJob {
  #fetched = $state.raw<Job>();
  #again = $state(0);
  #asked: string | undefined;
  readonly #id: () => string | undefined;
  /** Why it cannot be shown. */
  problem = $state.raw<Problem>();
  readonly job = $derived.by((): Job | undefined => {
    const id = this.#id();
    if (id === undefined) return undefined;
    return newer(events.jobs.get(id), this.#fetched?.id === id ? this.#fetched : undefined);
  });

  constructor(id: () => string | undefined) {
    this.#id = id;
    // What was heard of it stays known, also where the stream says too much to keep it all.
    $effect(() => {
      const live = this.job;
      if (live) untrack(() => (this.#fetched = live));
    });
    // The stream says what changes; what was before it is asked for.
    $effect(() => {
      void [events.gaps, this.#again];
      const [wanted, stop] = [id(), new AbortController()];
      // What went wrong with one job is not said of the next.
      if (this.#asked !== wanted) this.problem = undefined;
      this.#asked = wanted;
      if (wanted === undefined) return;
      api.job(wanted, stop.signal).then(
        (job) => ([this.#fetched, this.problem] = [job, undefined]),
        (error: unknown) => {
          // While the line is down, what is shown stays; the header says so.
          if (!stop.signal.aborted && untrack(() => this.job?.id) !== wanted) this.problem = asProblem(error);
        },
      );
      return () => stop.abort();
    });
  }

  retry(): void {
    this.#again++;
  }
}

/** The rows of a job's answers; `job` is its id once it has some. */
export class FollowedAnswers {
  #view = $state.raw<View>();
  #again = $state(0);
  readonly #job: () => string | undefined;
  problem = $state.raw<Problem>();
  /** Never those of the job before. */
  readonly view = $derived.by(() => (this.#view?.job === this.#job() ? this.#view : undefined));

  constructor(job: () => string | undefined) {
    this.#job = job;
    $effect(() => {
      void this.#again;
      const [wanted, stop] = [job(), new AbortController()];
      if (wanted === undefined || untrack(() => this.#view?.job) === wanted) return;
      [this.#view, this.problem] = [undefined, undefined];
      answers(wanted, stop.signal).then(
        (found) => (this.#view = found),
        (error: unknown) => {
          if (!stop.signal.aborted) this.problem = asProblem(error);
        },
      );
      return () => stop.abort();
    });
  }

  retry(): void {
    this.#again++;
  }
}
