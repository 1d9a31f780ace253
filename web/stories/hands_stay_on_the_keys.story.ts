// Somebody uses the page by keys alone.

import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { findBarriers } from './with/axe';
import { story, type Given } from './with/story';
import type { Service } from './with/service';
import type { Visit } from './with/visit';

async function answers(given: Given, service: Service): Promise<Visit> {
  const { id } = await service.submit(given.made.table, { model: 'kinds', proba: 'true' });
  await service.jobThat(id, 'succeeded');
  return given.look(service, `/classify/${id}`);
}

/** Presses Tab until the focus is on what is wanted. */
async function tabTo(page: Page, wanted: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => !!document.activeElement?.matches(wanted), wanted)) return;
  }
  throw new Error(`200 times Tab do not lead to ${wanted}`);
}

const path = (page: Page) => new URL(page.url()).pathname;

story('a file is chosen by O, flows are walked through by J and K', async (given) => {
  const service = await given.service();
  const visit = await given.look(service, '/classify');
  const { page } = visit;
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('o')]);
  await chooser.setFiles(given.made.table);
  await page.getByRole('grid', { name: 'Flows' }).waitFor();
  await visit.settled();
  const report = path(page);
  const steps: [key: string, says: string | undefined][] = [
    ['j', 'Flow 1 of 932'],
    ['j', 'Flow 2 of 932'],
    ['ArrowDown', 'Flow 3 of 932'],
    ['k', 'Flow 2 of 932'],
    ['ArrowUp', 'Flow 1 of 932'],
    ['k', 'Flow 1 of 932'],
    ['Escape', undefined],
    ['Enter', 'Flow 1 of 932'],
    ['Escape', undefined],
  ];
  for (const [key, says] of steps) {
    await page.keyboard.press(key);
    const pane = page.getByRole('complementary', { name: 'Flow' });
    if (says) await pane.getByText(says, { exact: true }).waitFor();
    else await pane.getByText('No flow is open').waitFor();
    expect(path(page).startsWith(`${report}/flows/`), `after ${key}`).toBe(says !== undefined);
  }
  await visit.settled();
});

story('flows are filtered by /, and the handle is moved by arrows', async (given) => {
  const service = await given.service();
  const visit = await answers(given, service);
  const { page } = visit;
  const grid = page.getByRole('grid', { name: 'Flows' });
  const rows = async () => Number(await grid.getAttribute('aria-rowcount')) - 1;
  const all = await rows();
  await page.keyboard.press('/');
  await page.keyboard.type('udp');
  await visit.frames();
  const some = await rows();
  expect(some).toBeGreaterThan(0);
  expect(some).toBeLessThan(all);
  // Letters are written there, and open no flow.
  await page.keyboard.type('jk');
  await visit.frames();
  expect(await rows()).toBe(0);
  for (let i = 0; i < 5; i++) await page.keyboard.press('Backspace');
  await page.keyboard.press('Escape');
  expect(await rows()).toBe(all);

  await tabTo(page, '[role=slider]');
  const handle = page.getByRole('slider', { name: 'Reject below' });
  for (const [key, value] of [
    ['ArrowRight', 0.01],
    ['Shift+ArrowRight', 0.11],
    ['PageUp', 0.21],
    ['ArrowLeft', 0.2],
    ['End', 1],
    ['Home', 0],
    ['Shift+ArrowUp', 0.1],
  ] as const) {
    await page.keyboard.press(key);
    await visit.frames();
    expect(Number(await handle.getAttribute('aria-valuenow')), key).toBeCloseTo(value);
  }
  expect(new URL(page.url()).searchParams.get('reject')).toBe('0.10');
  expect(await handle.getAttribute('aria-valuetext')).toMatch(/reject below 0\.10: [\d,]+ of 932 flows/);
});

story('the command box leads anywhere, and the list of keys tells them', async (given) => {
  const service = await given.service();
  const visit = await answers(given, service);
  const { page } = visit;
  await page.keyboard.press('Control+k');
  const box = page.getByRole('combobox', { name: 'Page, job or model' });
  await box.waitFor();
  await findBarriers(visit);
  await page.keyboard.type('models');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/models(\/|$)/);
  await visit.settled();
  await page.keyboard.press('Control+k');
  await box.waitFor();
  await page.keyboard.press('Escape');
  // What is hidden is not yet gone, and keeps the keys until it is.
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('?');
  const list = page.getByRole('dialog', { name: 'Keys' });
  await list.waitFor();
  await findBarriers(visit);
  // Whoever dictates turns single letters off.
  await tabTo(page, 'dialog input[type=checkbox]');
  await page.keyboard.press('Space');
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('?');
  await visit.frames();
  expect(await list.count()).toBe(0);
});

story('the theme is changed by its button, and every stop of Tab can be seen', async (given) => {
  const service = await given.service();
  const visit = await answers(given, service);
  const { page } = visit;
  await tabTo(page, 'header .theme');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark');

  // The first stop leads past the header.
  await page.reload();
  await visit.settled();
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe('Skip to the page');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('page');

  const unseen = new Set<string>();
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      if (element === document.body) return 'the end';
      // What a label or a group shows of the focus of its unseen radio, or a handle of its group, counts.
      const shows = (at: Element | null) => at && getComputedStyle(at).outlineStyle !== 'none';
      const around = [element, element.closest('label'), ...element.querySelectorAll('*')];
      const box = element.getBoundingClientRect();
      const name = element.getAttribute('aria-label') ?? element.textContent?.trim().slice(0, 30);
      if (!around.some(shows)) return `${element.tagName} "${name}" shows no focus`;
      if (box.bottom < 0 || box.top > innerHeight) return `${element.tagName} "${name}" is out of sight`;
      return undefined;
    });
    if (found === 'the end') break;
    if (found) unseen.add(found);
  }
  expect([...unseen]).toEqual([]);
});
