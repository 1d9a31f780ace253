// The jobs of this server: pages that were fetched, and what the stream said since.

import { api, asProblem, type Problem } from '../api/client';
import { events } from '../api/events.svelte';
import type { Job, State } from '../api/types';
import { joined, merged } from './standing';

/** As many as the server gives at a time, to count by. */
const COUNTED = 200;
const PAGE = 50;

export interface Counted {
  jobs: number;
  /** There may be more. */
  more: boolean;
}

export class JobList {
  kind = $state<string>();
  states = $state.raw<State[]>([]);
  problem = $state.raw<Problem>();
  loaded = $state(false);
  next = $state<string>();
  /** Of the filters that hold. */
  #page = $state.raw<Job[]>([]);
  /** To count by: those that matter most, of every kind. */
  #known = $state.raw<Job[]>([]);
  #cut = $state.raw<ReadonlySet<State>>(new Set());
  #asked = 0;
  /** What the page is of. */
  #of: { kind?: string | undefined; states: State[] } = { states: [] };

  jobs = $derived(merged(this.#page, events.jobs.values(), { kind: this.kind, states: this.states }));

  #all = $derived(merged([...this.#known, ...this.#page], events.jobs.values(), { kind: this.kind }));
  running = $derived(this.#all.filter((job) => job.state === 'running'));

  counts = $derived.by((): ReadonlyMap<State, Counted> => {
    const found = new Map<State, Counted>();
    for (const { state } of this.#all)
      found.set(state, { jobs: (found.get(state)?.jobs ?? 0) + 1, more: this.#cut.has(state) });
    return found;
  });

  /** The newest page of what is wanted. */
  async load(kind: string | undefined, states: State[]) {
    const asked = ++this.#asked;
    [this.kind, this.states] = [kind, states];
    try {
      const page = await api.jobs({ kind, state: states, limit: PAGE });
      if (asked !== this.#asked) return;
      this.problem = undefined;
      // Older ones that were asked for stay, where none between them and these can be missing.
      const same = kind === this.#of.kind && String(states) === String(this.#of.states);
      const all = same ? joined(this.#page, page.jobs) : undefined;
      [this.#page, this.next] = all ? [all, this.next] : [page.jobs, page.next ?? undefined];
      this.#of = { kind, states };
      void this.#count(asked);
    } catch (error) {
      if (asked === this.#asked) this.problem = asProblem(error);
    }
    this.loaded = true;
  }

  async older() {
    if (!this.next) return;
    const asked = this.#asked;
    try {
      const page = await api.jobs({
        kind: this.kind,
        state: this.states,
        limit: PAGE,
        before: this.next,
      });
      if (asked !== this.#asked) return;
      [this.#page, this.next] = [[...this.#page, ...page.jobs], page.next ?? undefined];
    } catch (error) {
      if (asked === this.#asked) this.problem = asProblem(error);
    }
  }

  async #count(asked: number) {
    const groups: State[][] = [
      ['queued', 'running', 'paused'],
      ['failed', 'dead', 'cancelled'],
      ['succeeded'],
    ];
    try {
      const pages = await Promise.all(
        groups.map((state) => api.jobs({ kind: this.kind, state, limit: COUNTED })),
      );
      if (asked !== this.#asked) return;
      this.#known = pages.flatMap((page) => page.jobs);
      this.#cut = new Set(groups.filter((_, i) => pages[i]!.next).flat());
    } catch {
      // The list itself says what is wrong; counts are then those of the list.
    }
  }
}
