// How quick the page is, in figures for who reads the output. What is asserted is that it works; no time is.

import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Job } from '../src/api/types';
import { HASTY, Service } from './with/service';
import { story, type Given } from './with/story';

function told(what: string, figures: Record<string, number | string>): void {
  const words = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  console.log(`measured: ${what}: ${words.join(', ')}`);
}

const at = (sorted: number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;

/** How long frames lasted while something was going on, in milliseconds. */
async function frames(page: Page, during: () => Promise<void>): Promise<Record<string, number>> {
  await page.evaluate(() => {
    const here = globalThis as unknown as { lasted: number[] | undefined };
    const lasted: number[] = (here.lasted = []);
    let before = performance.now();
    const next = (now: number) => {
      lasted.push(now - before);
      before = now;
      if (here.lasted) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  await during();
  const lasted = await page.evaluate(() => {
    const here = globalThis as unknown as { lasted: number[] | undefined };
    const found = here.lasted ?? [];
    here.lasted = undefined;
    return found;
  });
  lasted.sort((a, b) => a - b);
  const all = lasted.reduce((sum, ms) => sum + ms, 0);
  return {
    frames: lasted.length,
    'a second': Math.round((1000 * lasted.length) / all),
    'ms, half': Math.round(at(lasted, 0.5)),
    '95 %': Math.round(at(lasted, 0.95)),
    longest: Math.round(at(lasted, 1)),
  };
}

async function register(given: Given): Promise<void> {
  await given.place.run('models', 'import', given.made.model, '--name', 'kinds', '--registry', 'data/models');
}

story('the first paint', async (given) => {
  const service = await given.service();
  const { id } = await service.submit(given.made.table, { model: 'kinds', proba: 'true' });
  await service.jobThat(id, 'succeeded');
  for (const path of ['/', `/classify/${id}`]) {
    const paints: number[] = [];
    let [octets, files] = [0, 0];
    // Each time somebody who was never here.
    for (let i = 0; i < 3; i++) {
      const { page } = await given.look(service, path);
      const found = await page.evaluate(() => {
        const of = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
        const own = of.filter((entry) => !entry.name.includes('/v1/'));
        const paint = performance.getEntriesByName('first-contentful-paint')[0];
        const octets = own.reduce((sum, entry) => sum + entry.encodedBodySize, 0);
        return { paint: paint?.startTime ?? NaN, octets, files: own.length };
      });
      expect(found.paint).toBeGreaterThan(0);
      paints.push(found.paint);
      [octets, files] = [found.octets, found.files];
      await page.close();
    }
    paints.sort((a, b) => a - b);
    told(`first paint of ${path === '/' ? path : 'a report'}`, {
      'ms, half of 3': Math.round(at(paints, 0.5)),
      longest: Math.round(at(paints, 1)),
      octets,
      files,
    });
  }
});

story('frames while a job tells of itself many times a second', async (given) => {
  await register(given);
  const service = await Service.start(given.place, [...Service.inFolder, '--workers', '1'], HASTY);
  const text = await readFile(given.made.table, 'utf8');
  const rows = text.slice(text.indexOf('\n') + 1);
  const visit = await given.look(service, '/classify');
  await visit.line(/Live/);
  await visit.page.evaluate(() => {
    const here = globalThis as unknown as { news: number };
    here.news = 0;
    new EventSource('/v1/events').addEventListener('job', () => here.news++);
  });
  let ended: Job | undefined;
  const begun = Date.now();
  const figures = await frames(visit.page, async () => {
    const { id } = await service.submit(new Blob([text, rows, rows, rows, rows, rows]), { model: 'kinds' });
    ended = await service.jobThat(id, 'succeeded');
  });
  const news = await visit.page.evaluate(() => (globalThis as unknown as { news: number }).news);
  expect(news).toBeGreaterThan(5);
  expect(ended?.state).toBe('succeeded');
  told('frames during a job', {
    ...figures,
    'news a second': ((1000 * news) / (Date.now() - begun)).toFixed(1),
  });
});

story('scrolling through 100,000 rows', async (given) => {
  // Few columns, so that what is long is the table and not the wait for it.
  const kept = ['start', 'responder_address', 'responder_port', 'protocol', 'forward_octets'];
  kept.push('backward_octets', 'payload_octets_sequence', 'payload_gap_micros_sequence', 'category');
  const [head, ...all] = (await readFile(given.made.table, 'utf8')).trimEnd().split('\n');
  const names = head!.split(',');
  const places = kept.map((name) => names.indexOf(name));
  expect(places).not.toContain(-1);
  const rows = all.map((row) => row.split(',')).map((cells) => places.map((place) => cells[place]).join(','));
  const table = [kept.join(','), ...Array.from({ length: 100_000 }, (_, i) => rows[i % rows.length])];
  const few = new Blob([[kept.join(','), ...rows].join('\n')]);
  const service = await Service.start(given.place);
  const learnt = { kind: 'fit', name: 'few', label: 'category', estimator: 'forest', trees: '5' };
  const fit = await service.submit(few, learnt);
  await service.jobThat(fit.id, 'succeeded');
  const { id } = await service.submit(new Blob([table.join('\n')]), { model: 'few', proba: 'true' });
  await service.jobThat(id, 'succeeded');
  const begun = Date.now();
  const visit = await given.look(service, `/classify/${id}`);
  const grid = visit.page.getByRole('grid', { name: 'Flows' });
  await grid.waitFor();
  const opened = Date.now() - begun;
  expect(await grid.getAttribute('aria-rowcount')).toBe('100001');
  await grid.hover();
  const figures = await frames(visit.page, async () => {
    for (let i = 0; i < 120; i++) await visit.page.mouse.wheel(0, 400);
  });
  const top = await grid.evaluate((grid) => grid.scrollTop);
  expect(top).toBeGreaterThan(10_000);
  await grid.evaluate((grid) => grid.scrollTo(0, grid.scrollHeight));
  await visit.frames();
  expect(await grid.locator('[aria-rowindex="100001"]').count()).toBe(1);
  told('100,000 rows', { 'opened after ms': opened, ...figures, 'px scrolled': Math.round(top) });
});
