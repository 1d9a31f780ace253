// Somebody leaves a job that runs and comes back to it; its worker dies, or the whole service, and the page tells how it is.

import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Job } from '../src/api/types';
import { overRedis, Service } from './with/service';
import { story, storyOverRedis, type Given } from './with/story';
import type { Visit } from './with/visit';

/** The made table many times over: with small chunks, a job of many parts. */
async function long(given: Given): Promise<Blob> {
  const text = await readFile(given.made.table, 'utf8');
  const rows = text.slice(text.indexOf('\n') + 1);
  return new Blob([text, rows, rows, rows, rows]);
}

const hasDone = (least: number) => (job: Job) =>
  job.state === 'running' && job.progress?.unit === 'chunks' && (job.progress.done ?? 0) >= least;

async function register(given: Given): Promise<void> {
  await given.place.run('models', 'import', given.made.model, '--name', 'kinds', '--registry', 'data/models');
}

/** The rows that its table says it has, without its head. */
async function rowsOf(visit: Visit): Promise<number> {
  const grid = visit.page.getByRole('grid', { name: 'Flows' });
  await grid.waitFor();
  return Number(await grid.getAttribute('aria-rowcount')) - 1;
}

storyOverRedis('a page that is loaded anew in mid-job is where it was', async (given) => {
  await register(given);
  const { service, worker } = await overRedis(given.place, { FLOWGAIT_SERVE_CHUNK_OCTETS: '20k' });
  const works = await worker();
  const { id } = await service.submit(await long(given), { model: 'kinds', proba: 'true' });
  await service.jobThat(id, hasDone(3));
  works.signal('SIGSTOP');
  const visit = await given.look(service, `/classify/${id}`);
  const { page } = visit;
  const says = () => page.locator('main [role=status]', { hasText: 'It runs' }).innerText();
  const before = await says();
  expect(before).toMatch(/\d+ of \d+ chunks/);
  await page.reload();
  await visit.settled();
  expect(await says()).toBe(before);
  // What is answered so far can be read already, among the flows too.
  const first = page.getByText(/The first \d+ rows that it has answered/);
  await first.waitFor();
  await visit.go(`/flows?job=${id}`);
  await first.waitFor();
  await visit.go(`/classify/${id}`);
  works.signal('SIGCONT');
  const job = await service.jobThat(id, 'succeeded');
  expect(await rowsOf(visit)).toBe(job.result?.['rows']);
});

storyOverRedis(
  'a worker is killed in mid-job, and the open page shows its end all the same',
  async (given) => {
    await register(given);
    const { service, worker } = await overRedis(given.place);
    const first = await worker();
    const { id } = await service.submit(await long(given), { model: 'kinds', proba: 'true' });
    const visit = await given.look(service, `/classify/${id}`);
    await service.jobThat(id, hasDone(3));
    await first.kill();
    await visit.page.getByText('It runs.').waitFor();
    await worker();
    const job = await service.jobThat(id, 'succeeded');
    expect(await rowsOf(visit)).toBe(job.result?.['rows']);
  },
);

story('a job that waits for a worker says so, is stopped, and is asked for again', async (given) => {
  const service = await Service.start(given.place, [...Service.inFolder, '--workers', '0']);
  const { id } = await service.submit(given.made.table);
  const visit = await given.look(service, `/classify/${id}`);
  const { page } = visit;
  await page.getByText('It waits for a worker.').waitFor();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByText('It was stopped before it had answers.').waitFor();
  await page.reload();
  await visit.settled();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByText('It waits for a worker.').waitFor();
  expect((await service.job(id)).state).toBe('queued');
});
