// The real service: started, asked, stopped, killed, and started again where it was.

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { basename } from 'node:path';
import type { Job, State } from '../../src/api/types';
import { program, until, type Place, type Running, type Settings } from './place';

/** A port that is free now. */
export function freePort(): Promise<number> {
  return new Promise((good) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => good(port));
    });
  });
}

/** Small chunks and short leases, so that there is much to see in little time. */
export const HASTY: Settings = { FLOWGAIT_SERVE_CHUNK_OCTETS: '20k', FLOWGAIT_SERVE_LEASE: '1s' };

export class Service {
  /** A store and blobs in the folder of the story. */
  static readonly inFolder = ['--store', 'sqlite:data', '--blobs', 'data'];

  private constructor(
    readonly place: Place,
    readonly url: string,
    readonly words: string[],
    readonly settings: Settings,
    public process: Running,
  ) {}

  static async start(place: Place, words = Service.inFolder, settings: Settings = {}): Promise<Service> {
    const port = await freePort();
    const all = ['serve', '--bind', `127.0.0.1:${port}`, ...words];
    const process = await place.start(program, all, 'flowgait listens on', settings);
    return new Service(place, `http://127.0.0.1:${port}`, all, settings, process);
  }

  /** The same at the same port, over what was kept. */
  async again(): Promise<void> {
    this.process = await this.place.start(program, this.words, 'flowgait listens on', this.settings);
  }

  async json<T>(path: string, options: RequestInit = {}): Promise<T> {
    const answer = await fetch(this.url + path, options);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  job(id: string): Promise<Job> {
    return this.json<Job>(`/v1/jobs/${id}`);
  }

  /** Begins a job, from a file where it needs one. */
  async submit(file: string | Blob | undefined, fields: Record<string, string> = {}): Promise<Job> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    if (typeof file === 'string') form.append('file', new Blob([await readFile(file)]), basename(file));
    else if (file) form.append('file', file, 'table.csv');
    return this.json<Job>('/v1/jobs', { method: 'POST', body: form });
  }

  /** Waits until a job is as wanted. */
  jobThat(id: string, is: State | ((job: Job) => boolean)): Promise<Job> {
    const fits = typeof is === 'string' ? (job: Job) => job.state === is : is;
    return until(`job ${id}`, async () => {
      const job = await this.job(id);
      if (fits(job)) return job;
      if (['failed', 'cancelled', 'dead', 'succeeded'].includes(job.state))
        throw new Error(`the job ended otherwise: ${JSON.stringify(job)}\n${this.process.log}`);
      return undefined;
    });
  }
}

/** Why there is no Redis here, or nothing. */
export function noRedis(): string | undefined {
  const found = spawnSync('redis-server', ['--version']);
  return found.status === 0 ? undefined : 'there is no redis-server (cargo xtask test installs it)';
}

/** A service without workers of its own over a Redis of the story's own, and what starts one. */
export async function overRedis(
  place: Place,
  settings: Settings = HASTY,
): Promise<{ service: Service; worker: () => Promise<Running> }> {
  const port = await freePort();
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', ''];
  const keeps = ['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'];
  await place.start(
    'redis-server',
    [...words, ...keeps, '--dir', place.folder],
    'Ready to accept connections',
  );
  const over = ['--store', `redis://127.0.0.1:${port}/0`, '--blobs', 'data'];
  const service = await Service.start(place, [...over, '--workers', '0'], settings);
  const worker = () =>
    place.start(program, ['worker', ...over, '--workers', '1'], 'flowgait works for', settings);
  return { service, worker };
}
