// An analyst sends a table, looks at the answers, and takes them home: they are what the command line says.

import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { story, type Given } from './with/story';
import type { Visit } from './with/visit';

async function send(visit: Visit, file: string): Promise<void> {
  const { page } = visit;
  await page.getByRole('combobox', { name: 'by model' }).selectOption('kinds');
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Choose file' }).click(),
  ]);
  await chooser.setFiles(file);
  await page.waitForURL(/\/classify\/[^/]+$/);
  await page.getByRole('grid', { name: 'Flows' }).waitFor();
  await visit.settled();
}

async function download(given: Given, visit: Visit, name: string): Promise<Buffer> {
  const link = visit.page.getByRole('link', { name: /Download/ });
  const [download] = await Promise.all([visit.page.waitForEvent('download'), link.click()]);
  const path = given.place.path(name);
  await download.saveAs(path);
  return readFile(path);
}

for (const format of ['CSV', 'JSONL', 'Parquet']) {
  story(`a table becomes the same answers as on the command line, as ${format}`, async (given) => {
    const service = await given.service();
    const visit = await given.look(service, '/classify');
    await visit.page.getByText(format, { exact: true }).click();
    await send(visit, given.made.table);
    const out = given.place.path(`said.${format.toLowerCase()}`);
    await given.place.run('predict', '--model', given.made.model, '--proba', given.made.table, '-o', out);
    const said = await readFile(out);
    const got = await download(given, visit, `got.${format.toLowerCase()}`);
    expect(got.equals(said), `${got.length} octets, and ${said.length} on the command line`).toBe(true);
  });
}

story('a capture becomes answers for its flows, and the page counts them', async (given) => {
  const service = await given.service();
  const visit = await given.look(service, '/classify');
  await send(visit, given.made.capture);
  const out = given.place.path('said.csv');
  await given.place.run('predict', '--model', given.made.model, '--proba', given.made.capture, '-o', out);
  expect((await download(given, visit, 'got.csv')).equals(await readFile(out))).toBe(true);

  // Every row of the file is a row of the page, and of its class.
  const [head, ...rows] = (await readFile(out, 'utf8')).trimEnd().split('\n');
  const column = head!.split(',').indexOf('prediction');
  const classes = new Map<string, number>();
  for (const row of rows) {
    const name = row.split(',')[column]!;
    classes.set(name, (classes.get(name) ?? 0) + 1);
  }
  const grid = visit.page.getByRole('grid', { name: 'Flows' });
  expect(await grid.getAttribute('aria-rowcount')).toBe(String(rows.length + 1));
  const seen = visit.page.getByRole('button', { name: /\d %$/ });
  const counts = await seen.locator('.num:not(.share)').allInnerTexts();
  const told = counts.map((count) => Number(count.replace(/\D/g, '')));
  // The page names kinds of use in its own words, so numbers are compared; the last is of unknown ones.
  expect(told.slice(0, -1).sort()).toEqual([...classes.values()].sort());
});

story('what is no table ends in words, and the next one is answered', async (given) => {
  const service = await given.service();
  const visit = await given.look(service, '/classify');
  const { page } = visit;
  await page.locator('input[type=file]').setInputFiles({
    name: 'picture.png',
    mimeType: 'image/png',
    buffer: Buffer.from('\x89PNG\r\n\x1a\n no table at all', 'latin1'),
  });
  await page.waitForURL(/\/classify\/[^/]+$/);
  const why = page.locator('main [role=alert]');
  await why.waitFor();
  expect(await why.innerText()).toContain('picture.png, line 1');
  await page.goBack();
  await send(visit, given.made.table);
});

story('a file that is taken back is gone, and the page waits for another', async (given) => {
  const service = await given.service();
  const visit = await given.look(service, '/classify');
  const { page } = visit;
  // A slow line, so that there is something to take back.
  const line = await page.context().newCDPSession(page);
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 20_000 };
  await line.send('Network.emulateNetworkConditions', slow);
  await page.locator('input[type=file]').setInputFiles(given.made.table);
  await page.getByRole('progressbar', { name: 'Upload' }).waitFor();
  await page.getByRole('button', { name: 'Stop sending' }).click();
  await page.getByRole('button', { name: 'Choose file' }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/classify');
  await line.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 });
  expect((await service.json<{ jobs: unknown[] }>('/v1/jobs')).jobs).toEqual([]);
  await send(visit, given.made.table);
});
