// The one stream of changes of a tab. Changes are gathered and given out once a frame.

import { after } from './heard';
import type { Job } from './types';

export type Line = 'live' | 'reconnecting' | 'stale';

/** Panes are told that what they show is old after the line was down for so long. */
const STALE_AFTER = 10_000;

class Events {
  line = $state<Line>('reconnecting');
  /** Which try of coming back this is; 0 before the line was ever lost. */
  tries = $state(0);
  /** When the line was lost, for "as of". */
  since = $state<Date | undefined>(undefined);
  /** As they were last heard of; of a busy service those of late. */
  jobs = $state.raw<ReadonlyMap<string, Job>>(new Map());
  /** Another store answers at this address than when the page came. */
  another = $state(false);
  /** Grows when something may have happened that is not, or no longer, in `jobs`: what was asked for is asked for again. */
  gaps = $state(0);

  #source: EventSource | undefined;
  #gathered = new Map<string, Job>();
  #frame = 0;
  #late: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #last = '';

  open() {
    if (this.#source) return;
    // A closed stream is opened anew by us, and then says itself where it was.
    const source = new EventSource(this.#last ? `/v1/events?since=${this.#last}` : '/v1/events');
    this.#source = source;
    source.addEventListener('hello', (event) => {
      // The numbers of a store only grow, so this is another one: a service that began anew elsewhere.
      if (Number(event.lastEventId) < Number(this.#last)) [this.jobs, this.another] = [new Map(), true];
      this.#arrived(event);
      this.gaps++;
    });
    source.addEventListener('job', (event) => {
      this.#arrived(event);
      const job = JSON.parse(event.data as string) as Job;
      this.#gathered.set(job.id, job);
      this.#frame ||= requestAnimationFrame(() => this.#give());
    });
    source.onerror = () => {
      this.#lost();
      // A browser gives up for good when the answer was an error and not a stream.
      if (source.readyState !== EventSource.CLOSED) return;
      this.#source = undefined;
      const wait = Math.min(10_000, 500 * 2 ** Math.min(this.tries, 5));
      this.#again = setTimeout(() => this.open(), wait);
    };
  }

  close() {
    clearTimeout(this.#again);
    clearTimeout(this.#late);
    this.#source?.close();
    this.#source = undefined;
  }

  #arrived(event: MessageEvent) {
    if (event.lastEventId) this.#last = event.lastEventId;
    clearTimeout(this.#late);
    this.#late = undefined;
    this.line = 'live';
    this.tries = 0;
    this.since = undefined;
  }

  #lost() {
    this.tries++;
    this.since ??= new Date();
    if (this.line === 'live') this.line = 'reconnecting';
    this.#late ??= setTimeout(() => (this.line = 'stale'), STALE_AFTER);
  }

  #give() {
    this.#frame = 0;
    const { jobs, forgot } = after(this.jobs, this.#gathered.values());
    this.#gathered.clear();
    this.jobs = jobs;
    if (forgot) this.gaps++;
  }
}

export const events = new Events();
