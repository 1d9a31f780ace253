// A federation as it is followed: what it begins with, its rounds so far, its ledger.

import { api, ask, asProblem, ofFederation, Problem } from '../api/client';
import type { Entry, Round, Setup } from '../api/types';

/** Rounds are asked for no more often, however fast they come. */
const PAUSE = 250;
/** The ledger is one file that grows: it is read again at most so often while a run goes on. */
const LEDGER_PAUSE = 2_000;
/** As many rounds as the server gives at a time. */
const PAGE = 1_000;

export class Run {
  setup = $state.raw<Setup>();
  rounds = $state.raw<Round[]>([]);
  ledger = $state.raw<Entry[]>([]);
  problem = $state.raw<Problem>();
  /** Whether its rounds were ever answered, even by none. */
  read = $state(false);
  #stop = new AbortController();
  #busy = false;
  #wanted = false;
  #ended = false;
  #ledgerAt = -Infinity;

  constructor(readonly id: string) {}

  /** Reads what is new. Wishes that come while it reads are one. Of a run that waits there is nothing to ask for. */
  async more(ended: boolean, begun = true): Promise<void> {
    this.#ended = ended;
    if (!begun) return void (this.read = true);
    if (this.#busy) return void (this.#wanted = true);
    this.#busy = true;
    const { signal } = this.#stop;
    try {
      this.setup ??= await absent(api.setup(this.id, signal));
      for (;;) {
        const { rounds } = await api.rounds(this.id, this.rounds.at(-1)?.round ?? 0, signal);
        if (rounds.length) this.rounds = [...this.rounds, ...rounds];
        if (rounds.length < PAGE) break;
      }
      this.read = true;
      const now = performance.now();
      if (this.rounds.length && (this.#ended || now - this.#ledgerAt > LEDGER_PAUSE)) {
        this.#ledgerAt = now;
        this.ledger = await this.#entries(signal);
      }
      this.problem = undefined;
    } catch (error) {
      if (!signal.aborted) this.problem = asProblem(error);
    }
    setTimeout(() => {
      this.#busy = false;
      if (this.#wanted && !signal.aborted) void this.more(this.#ended);
      this.#wanted = false;
    }, PAUSE);
  }

  async #entries(signal: AbortSignal): Promise<Entry[]> {
    const answer = await absent(ask(`${ofFederation(this.id)}/files/ledger.jsonl`, { signal }));
    const lines = (await answer?.text())?.trimEnd().split('\n') ?? [];
    // Of a long ledger only the end is shown.
    return lines.slice(-60).flatMap((line) => (line ? [JSON.parse(line) as Entry] : []));
  }

  end() {
    this.#stop.abort();
  }
}

/** What is not there yet is nothing, and no error. */
async function absent<T>(wanted: Promise<T>): Promise<T | undefined> {
  try {
    return await wanted;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined;
    throw error;
  }
}
