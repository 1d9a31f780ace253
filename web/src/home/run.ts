// A federation as the start page replays it.

import { ask } from '../api/client';
import type { Job } from '../api/types';

export interface Run {
  /** Its id; nothing for the example. */
  id: string | undefined;
  name: string;
  made: boolean;
  rounds: number[];
  /** Of the common model on rows that nobody learnt from; NaN where it was not measured. */
  accuracy: number[];
  /** Of the common model on each client's own rows. */
  clients: number[][];
  central: number | undefined;
  local: number | undefined;
  /** Spent at the end; nothing where nothing was hidden in noise. */
  epsilon: number | undefined;
  budget: number | undefined;
  delta: number | undefined;
}

interface Line {
  round: number;
  accuracy: number | null;
  clients?: (number | null)[];
  epsilon?: number | null;
}
interface Summary {
  epsilon?: number | null;
  central?: { accuracy: number | null } | null;
  local?: { accuracy: number | null } | null;
}

/** As many as a small chart shows, evenly spread, with the first and the last. */
const POINTS = 160;
export function thin<T>(all: readonly T[], most = POINTS): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))]!);
}

export function runOf(job: Job, all: Line[]): Run {
  const lines = thin(all);
  const result = (job.result ?? {}) as { summary?: Summary; model?: string };
  const clients = Math.max(0, ...lines.map((line) => line.clients?.length ?? 0));
  return {
    id: job.id,
    name: result.model ?? job.id.slice(0, 8),
    // Without a table of its own it learns from made rows.
    made: !job.input || !!job.input.made,
    rounds: lines.map((line) => line.round),
    accuracy: lines.map((line) => line.accuracy ?? NaN),
    clients: Array.from({ length: clients }, (_, c) => lines.map((line) => line.clients?.[c] ?? NaN)),
    central: result.summary?.central?.accuracy ?? undefined,
    local: result.summary?.local?.accuracy ?? undefined,
    epsilon: lines.at(-1)?.epsilon ?? result.summary?.epsilon ?? undefined,
    budget: undefined,
    delta: undefined,
  };
}

async function example(): Promise<Run> {
  const { default: run } = await import('./example-run.json');
  const rounds = run.accuracy.map((_, i) => i + 1);
  return { ...run, id: undefined, name: 'example', made: true, rounds, epsilon: run.epsilon.at(-1)! };
}

const json = async (path: string) => (await ask(path)).json() as Promise<unknown>;

/** Rounds come so many at a time. */
const PAGE = 1000;
const PAGES = 20;
async function roundsOf(id: string): Promise<Line[]> {
  const all: Line[] = [];
  for (let page = 0; page < PAGES; page++) {
    const after = all.length ? `?after=${all.at(-1)!.round}` : '';
    const { rounds } = (await json(`/v1/federations/${id}/rounds${after}`)) as { rounds: Line[] };
    all.push(...rounds);
    if (rounds.length < PAGE) break;
  }
  return all;
}

/** The newest federation that has come to its end, or the example. */
export async function newest(): Promise<Run> {
  const { federations } = (await json('/v1/federations')) as { federations: Job[] };
  for (const job of federations.filter((of) => of.state === 'succeeded')) {
    const rounds = await roundsOf(job.id);
    // A forest is summed up in one go, and there is nothing to replay.
    if (rounds.length > 1) return runOf(job, rounds);
  }
  return example();
}
