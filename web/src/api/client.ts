// Requests, and what goes wrong with them.

import type { Job, JobPage, ModelList, ProblemDocument, Round, RowDetail, Setup } from './types';

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

export async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw unreachable();
  }
  if (!answer.ok) throw problemOf(answer.status, await answer.text(), answer.headers.get('x-request-id'));
  return answer;
}

async function json<T>(path: string, options?: RequestInit): Promise<T> {
  return (await ask(path, options)).json() as Promise<T>;
}

const on = (id: string) => `/v1/jobs/${encodeURIComponent(id)}`;
export const ofFederation = (id: string) => `/v1/federations/${encodeURIComponent(id)}`;

export const api = {
  job: (id: string, signal?: AbortSignal) => json<Job>(on(id), signal ? { signal } : {}),
  jobs: (filter: { kind?: string; limit?: number }) =>
    json<JobPage>(`/v1/jobs?${new URLSearchParams(Object.entries(filter).map(([k, v]) => [k, String(v)]))}`),
  cancel: (id: string) => json<Job>(on(id), { method: 'DELETE' }),
  retry: (id: string) => json<Job>(`${on(id)}/retry`, { method: 'POST' }),
  row: (id: string, row: number, signal: AbortSignal) => json<RowDetail>(`${on(id)}/rows/${row}`, { signal }),
  federations: () => json<{ federations: Job[] }>('/v1/federations'),
  rounds: (id: string, after: number, signal?: AbortSignal) =>
    json<{ rounds: Round[] }>(`${ofFederation(id)}/rounds?after=${after}`, signal ? { signal } : {}),
  /** Without what is of single clients. */
  briefRounds: (id: string, after = 0) =>
    json<{ rounds: Round[] }>(`${ofFederation(id)}/rounds?after=${after}&brief=true`),
  setup: (id: string, signal?: AbortSignal) =>
    json<Setup>(`${ofFederation(id)}/files/setup.json`, signal ? { signal } : {}),
  steer: (id: string, how: 'pause' | 'resume' | 'stop') =>
    json<Job>(`${ofFederation(id)}/${how}`, { method: 'POST' }),
  models: () => json<ModelList>('/v1/models'),
};

export const asProblem = (error: unknown): Problem =>
  error instanceof Problem
    ? error
    : new Problem('This page failed', error instanceof Error ? error.message : String(error));
