// The registry: what is asked of it, and what is changed in it.

import { ask, Problem } from './client';
import type { Evaluation, Model, ModelDetail, Promoted } from './types';

const of = (name: string) => `/v1/models/${encodeURIComponent(name)}`;
const at = (name: string, version: number) => `${of(name)}/versions/${version}`;
const asJson = { 'content-type': 'application/json' };

async function json<T>(path: string, options: RequestInit = {}): Promise<T> {
  return (await ask(path, options)).json() as Promise<T>;
}

export const registry = {
  file: (name: string, version: number) => `${at(name, version)}/file`,
  show: (name: string, version: number, signal?: AbortSignal) =>
    json<ModelDetail>(at(name, version), signal ? { signal } : {}),

  /** Nothing where it was not judged yet. */
  async evaluation(name: string, version: number, signal?: AbortSignal): Promise<Evaluation | undefined> {
    try {
      return await json<Evaluation>(`${at(name, version)}/evaluation`, signal ? { signal } : {});
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return undefined;
      throw error;
    }
  },
  attach: (name: string, version: number, evaluation: string) =>
    ask(`${at(name, version)}/evaluation`, { method: 'PUT', headers: asJson, body: evaluation }),

  /** Lets the alias `live` stand for a version. */
  promote: (name: string, version: number) =>
    json<Promoted>(`${of(name)}/promote`, {
      method: 'POST',
      headers: asJson,
      body: JSON.stringify({ version, alias: 'live' }),
    }),
  take: (name: string, file: Blob) =>
    json<Model>(of(name), {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: file,
    }),
};
