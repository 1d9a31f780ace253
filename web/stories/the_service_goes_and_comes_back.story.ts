// The service ends while the page is open, and comes back: the page says both, and nothing on it moves.

import { rename } from 'node:fs/promises';
import { expect } from 'vitest';
import { story, type Given } from './with/story';
import type { Service } from './with/service';
import type { Visit } from './with/visit';

/** Answers with a flow that is open, a filter that is set, and rows scrolled away. */
async function inUse(given: Given, service: Service): Promise<Visit> {
  const { id } = await service.submit(given.made.table, { model: 'kinds', proba: 'true' });
  await service.jobThat(id, 'succeeded');
  const visit = await given.look(service, `/classify/${id}?reject=0.30`);
  await visit.line(/^\W*Live/);
  const grid = visit.page.getByRole('grid', { name: 'Flows' });
  await grid.evaluate((grid) => grid.scrollTo(0, 4_000));
  await visit.settled();
  return visit;
}

/** Where everything in the page is, and which rows are shown. */
const places = (visit: Visit) =>
  visit.page.evaluate(() =>
    [...document.querySelectorAll('main *')].map((element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      return [element.tagName, x, y, width, height].join(' ');
    }),
  );

/** What the browser itself saw move since it was first asked; the words of the line grow and shrink, and only they may. */
const moved = (visit: Visit) =>
  visit.page.evaluate(() => {
    const here = globalThis as unknown as { moved?: string[] };
    if (here.moved) return here.moved;
    const found: string[] = (here.moved = []);
    const watch = new PerformanceObserver((all) => {
      for (const entry of all.getEntries() as (PerformanceEntry & { sources: { node?: Node }[] })[])
        for (const { node } of entry.sources) {
          const element = node instanceof Element ? node : node?.parentElement;
          if (element && !element.closest('header .right')) found.push(element.outerHTML.slice(0, 80));
        }
    });
    watch.observe({ type: 'layout-shift' });
    return found;
  });

for (const [how, end] of [
  ['told to end', (service: Service) => service.process.stop()],
  ['killed', (service: Service) => service.process.kill()],
] as const) {
  story(`it is ${how}, and is started again`, async (given) => {
    const service = await given.service();
    const visit = await inUse(given, service);
    const before = await places(visit);
    await moved(visit);
    visit.allowAbsence();
    await end(service);
    await visit.line(/Reconnecting, try \d/);
    await visit.frames();
    expect(await places(visit)).toEqual(before);
    await service.again();
    await visit.line(/^\W*Live/);
    await visit.settled();
    expect(await places(visit)).toEqual(before);
    expect(await moved(visit)).toEqual([]);
    // The line is not only there, it carries news.
    const { id } = await service.submit(given.made.table, { model: 'kinds' });
    await service.jobThat(id, 'succeeded');
    await visit.page.getByRole('link', { name: 'Classify another' }).click();
    await visit.page.locator(`main a[href="/classify/${id}"]`, { hasText: 'Succeeded' }).waitFor();
  });
}

story('while it is away for long, panes say of when their values are', async (given) => {
  const service = await given.service();
  const { id } = await service.submit(given.made.table, { model: 'kinds' });
  await service.jobThat(id, 'succeeded');
  const context = await given.person();
  await context.clock.install({ time: new Date('2026-01-05T12:00:00Z') });
  const visit = await given.look(service, `/classify/${id}`, context);
  await visit.line(/^\W*Live/);
  const stale = visit.page.getByText(/^\W*as of 12:\d\d/);
  visit.allowAbsence();
  await service.process.stop();
  await visit.line(/Reconnecting/);
  expect(await stale.count()).toBe(0);
  await context.clock.runFor(11_000);
  await stale.waitFor();
  await service.again();
  await context.clock.runFor(11_000);
  await visit.line(/^\W*Live/);
  await stale.waitFor({ state: 'detached' });
});

story('another begins at its address, over nothing, and its jobs alone are shown', async (given) => {
  const service = await given.service();
  for (let i = 0; i < 5; i++) {
    const { id } = await service.submit(given.made.table, { model: 'kinds' });
    await service.jobThat(id, 'succeeded');
  }
  const visit = await given.look(service, '/jobs');
  await visit.line(/^\W*Live/);
  const rows = visit.page.locator('main [id^="job-"]');
  expect(await rows.count()).toBe(5);
  visit.allowAbsence();
  await service.process.stop();
  await visit.line(/Reconnecting/);
  await rename(given.place.path('data'), given.place.path('before'));
  const registry = ['--registry', 'data/models', '--name', 'kinds'];
  await given.place.run('models', 'import', given.made.model, ...registry);
  await service.again();
  await rows.first().waitFor({ state: 'detached' });
  await visit.page.getByText('Another service answers here now').waitFor();
  // Its changes are counted from the beginning, and are heard all the same.
  const { id } = await service.submit(given.made.table, { model: 'kinds' });
  await rows.filter({ hasText: 'Succeeded' }).waitFor();
  const shown = () => rows.evaluateAll((all) => all.map((row) => row.id));
  expect(await shown()).toEqual([`job-${id}`]);
  await visit.page.getByRole('button', { name: 'Reload' }).click();
  await visit.page.getByText('Another service answers here now').waitFor({ state: 'detached' });
  await rows.first().waitFor();
  expect(await shown()).toEqual([`job-${id}`]);
});
