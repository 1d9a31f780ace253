// Somebody opens every page, where nothing was done yet and where much was: each says what it is, and nothing is wrong with it.

import { expect } from 'vitest';
import { addresses, plain } from './with/addresses';
import { findBarriers } from './with/axe';
import { Service } from './with/service';
import { story, type Given } from './with/story';
import type { Visit } from './with/visit';

async function openAll(given: Given, service: Service, all: Iterable<string>): Promise<void> {
  const wide = await given.look(service, '/');
  const narrow = await given.look(service, '/', { width: 320, height: 640 });
  for (const address of all) {
    await wide.go(address);
    await isWell(wide, ['light', 'dark']);
    await narrow.go(address);
    // What is there only in a small window is of the same colours.
    await isWell(narrow, ['dark']);
  }
}

async function isWell(visit: Visit, themes: ('light' | 'dark')[]): Promise<void> {
  const { page } = visit;
  const title = await page.title();
  if (!/(^|· )flowgait$/.test(title)) visit.note(`its title is "${title}"`);
  const headings = await page.locator('h1').count();
  if (headings !== 1) visit.note(`it has ${headings} first headings`);
  const failures = await page.locator('main [role=alert]').allInnerTexts();
  visit.note(...failures.map((failure) => `it says that something failed: ${failure}`));
  visit.note(...(await visit.tooWide()));
  await findBarriers(visit, themes);
}

story('every page of a service that nothing was done with', async (given) => {
  const service = await Service.start(given.place);
  await openAll(given, service, plain);
});

story('every page of a service where much was done', async (given) => {
  const service = await given.furnished();
  const all = await addresses(service);
  expect(all.size).toBeGreaterThan(5);
  await openAll(given, service, all.values());
});

story('an address that leads nowhere says so, and an unknown job too', async (given) => {
  const service = await Service.start(given.place);
  const visit = await given.look(service, '/classify');
  visit.allow(/404/);
  await visit.go('/nowhere');
  expect(await visit.page.locator('main').innerText()).toContain('No page has this address');
  await findBarriers(visit);
  await visit.go('/classify/00000000-0000-7000-8000-000000000000');
  expect(await visit.page.locator('main [role=alert]').innerText()).toMatch(/no such/i);
  await findBarriers(visit);
});
