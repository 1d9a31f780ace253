// Lists of jobs: what was fetched and what the stream said since, and how far each is.

import type { Job, PredictResult, State } from '../api/types';
import { looks, unknown, type Slot } from '../look/slots';
import { bytes, clock, count, duration } from '../look/words';
import { shown } from '../parts/states';

export const active = (job: Job) => ['queued', 'running', 'paused'].includes(job.state);

export interface Wanted {
  kind?: string | undefined;
  states?: readonly State[] | undefined;
}

/** Newest first, each as it was last heard of, of those that are wanted. */
export function merged(fetched: readonly Job[], live: Iterable<Job>, { kind, states }: Wanted = {}): Job[] {
  const all = new Map(fetched.map((job) => [job.id, job]));
  for (const job of live) if (job.revision >= (all.get(job.id)?.revision ?? 0)) all.set(job.id, job);
  // Ids sort by the time they were made.
  return [...all.values()]
    .filter((job) => (!kind || job.kind === kind) && (!states?.length || states.includes(job.state)))
    .sort((a, b) => (a.id < b.id ? 1 : -1));
}

/** The newest and those known that are older, each newest first; nothing where some between them may be missing. */
export function joined(known: readonly Job[], newest: readonly Job[]): Job[] | undefined {
  const oldest = newest.at(-1);
  if (!oldest || !known[0] || oldest.id > known[0].id) return undefined;
  return [...newest, ...known.filter((job) => job.id < oldest.id)];
}

/** What a job is called: the model that comes of it where it learns together, else its file; without either by its id. */
export function nameOf(job: Job): string {
  const model = job.name ?? (job.result as { model?: string } | null | undefined)?.model;
  const file = job.input?.name;
  const named = job.kind === 'simulate' ? (model ?? file) : (file ?? model);
  return named ?? (job.kind === 'simulate' ? `Run ${job.id.slice(-8)}` : job.id.slice(0, 8));
}

/** Where what it came to is shown. */
export function pageOf(job: Job): string {
  if (job.kind === 'predict') return `/classify/${job.id}`;
  if (job.kind === 'simulate') return `/federation/${job.id}`;
  const model = (job.result as { model?: string } | null | undefined)?.model?.split('@');
  return model?.[1] ? `/models/${model[0]}/${model[1]}` : `/jobs/${job.id}`;
}

export interface Share {
  slot: Slot;
  name: string;
  count: number;
}

/** Rows per class, the most first; nothing before there are answers. */
export function mix(job: Job): Share[] | undefined {
  if (job.kind !== 'predict' || !job.result) return undefined;
  const result = job.result as unknown as PredictResult;
  const [names, counts] = [Object.keys(result.classes), Object.values(result.classes)];
  const told = looks(names, counts).map((look, i) => ({ ...look, name: names[i]!, count: counts[i]! }));
  told.sort((a, b) => b.count - a.count);
  return result.unknown ? [...told, { ...unknown, count: result.unknown }] : told;
}

/** Rows that it brings or has answered. */
export function rowsOf(job: Job): number | undefined {
  const answered = (job.result as { rows?: number } | null | undefined)?.rows;
  return answered ?? (job.input?.rows || undefined);
}

export interface Standing {
  /** 0 to 1, where anybody knows. */
  share: number | undefined;
  stage: string;
  /** "12 of 40 rounds". */
  amount: string;
  rate: string;
  left: string;
}

export function standing(job: Job): Standing {
  const { done = 0, total, unit = '', rate, seconds_left: left, stage = '' } = job.progress ?? {};
  const say = (n: number) => (unit === 'octets' ? bytes(n) : count(n));
  const name = unit === 'octets' || !unit ? '' : ` ${unit}`;
  return {
    share: total ? Math.min(1, done / total) : undefined,
    stage,
    amount: total ? `${say(done)} of ${say(total)}${name}` : done ? `${say(done)}${name}` : '',
    rate: rate ? `${say(rate)}${name}/s` : '',
    left: left ? `${duration(left)} left` : '',
  };
}

/** Seconds that it ran, or has run so far. */
export function ran(job: Job, now: number): number {
  // One that waits again has run, but nobody says how long.
  if (!job.started || job.state === 'queued') return NaN;
  const end = job.ended ? Date.parse(job.ended) / 1000 : now;
  return Math.max(0, end - Date.parse(job.started) / 1000);
}

export interface Step {
  glyph: string;
  name: string;
  /** How long after the step before. */
  after: string;
  at: string;
}

/** The moments that are known of a job. */
export function times(job: Job): Step[] {
  const moments: [glyph: string, name: string, at: string | null | undefined][] = [
    ['○', 'Taken in', job.created],
    ['●', 'First worked on', job.started],
    [shown[job.state][1], shown[job.state][2], job.ended],
  ];
  const found: Step[] = [];
  let before = NaN;
  for (const [glyph, name, said] of moments) {
    const at = Date.parse(said ?? '') / 1000;
    if (!Number.isFinite(at)) continue;
    const after = Number.isFinite(before) ? `after ${duration(Math.max(0, at - before))}` : '';
    found.push({ glyph, name, after, at: clock(at) });
    before = at;
  }
  return found;
}
