// Requests, and what goes wrong with them.

import type {
  About,
  Job,
  JobPage,
  ModelList,
  Preview,
  ProblemDocument,
  Round,
  RowDetail,
  Sample,
  Setup,
  State,
} from './types';

/** Something that went wrong, as a person is told: what, where, what to do, and the request's id. */
export class Problem extends Error {
  override name = 'Problem';
  constructor(
    readonly title: string,
    readonly detail: string,
    readonly status = 0,
    readonly request: string | undefined = undefined,
    readonly kind = '',
  ) {
    super(title);
  }
}

export const unreachable = () =>
  new Problem('The server does not answer', 'Look whether it still runs, then try again.');

function isDocument(x: unknown): x is ProblemDocument {
  return typeof x === 'object' && x !== null && typeof (x as ProblemDocument).title === 'string';
}

/** The problem that an answer's text is, whether it came by fetch or by an upload. */
export function problemOf(status: number, text: string, request: string | null): Problem {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    // What stands between (a proxy) answers in its own words, which help nobody here.
  }
  if (!isDocument(said))
    return new Problem(`The server answered ${status}`, '', status, request ?? undefined);
  const wait = said.retry_after ? ` Try again in ${said.retry_after} s.` : '';
  return new Problem(said.title, (said.detail ?? '') + wait, status, request ?? undefined, said.type);
}

/** Told when an answer was refused for want of a key. */
let refused = () => {};
export const onRefused = (then: () => void) => void (refused = then);

export async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw unreachable();
  }
  if (answer.status === 401) refused();
  if (!answer.ok) throw problemOf(answer.status, await answer.text(), answer.headers.get('x-request-id'));
  return answer;
}

async function json<T>(path: string, options?: RequestInit): Promise<T> {
  return (await ask(path, options)).json() as Promise<T>;
}

const on = (id: string) => `/v1/jobs/${encodeURIComponent(id)}`;
export const ofFederation = (id: string) => `/v1/federations/${encodeURIComponent(id)}`;

interface Wanted {
  kind?: string | undefined;
  state?: State[] | undefined;
  before?: string | undefined;
  limit?: number;
}
function query(wanted: Wanted): string {
  const said = Object.entries(wanted).flatMap(([name, value]) =>
    value === undefined || String(value) === '' ? [] : [[name, String(value)]],
  );
  return new URLSearchParams(said).toString();
}

export const api = {
  about: () => json<About>('/v1/about'),
  samples: () => json<{ samples: Sample[] }>('/v1/samples'),
  job: (id: string, signal?: AbortSignal) => json<Job>(on(id), signal ? { signal } : {}),
  /** Newest first. */
  jobs: (wanted: Wanted) => json<JobPage>(`/v1/jobs?${query(wanted)}`),
  sample: (name: string) => {
    const body = new FormData();
    for (const [field, value] of Object.entries({ sample: name, proba: 'true' })) body.append(field, value);
    return json<Job>('/v1/jobs', { method: 'POST', body });
  },
  cancel: (id: string) => json<Job>(on(id), { method: 'DELETE' }),
  /** A federation's, between rounds: to wait, to go on, to end with what it has. */
  steer: (id: string, to: 'pause' | 'resume' | 'stop') =>
    json<Job>(`${ofFederation(id)}/${to}`, { method: 'POST' }),
  retry: (id: string) => json<Job>(`${on(id)}/retry`, { method: 'POST' }),
  /** The first rows of a job's answers. */
  preview: (id: string) => json<Preview>(`${on(id)}/preview`),
  /** Its rows count from 1. */
  row: (id: string, row: number, signal: AbortSignal) => json<RowDetail>(`${on(id)}/rows/${row}`, { signal }),
  federations: () => json<{ federations: Job[] }>('/v1/federations'),
  rounds: (id: string, after: number, signal?: AbortSignal) =>
    json<{ rounds: Round[] }>(`${ofFederation(id)}/rounds?after=${after}`, signal ? { signal } : {}),
  /** Without what is of single clients. */
  briefRounds: (id: string, after = 0) =>
    json<{ rounds: Round[] }>(`${ofFederation(id)}/rounds?after=${after}&brief=true`),
  setup: (id: string, signal?: AbortSignal) =>
    json<Setup>(`${ofFederation(id)}/files/setup.json`, signal ? { signal } : {}),
  models: () => json<ModelList>('/v1/models'),
};

export const asProblem = (error: unknown): Problem =>
  error instanceof Problem
    ? error
    : new Problem('This page failed', error instanceof Error ? error.message : String(error));
