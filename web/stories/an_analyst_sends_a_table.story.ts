// An analyst sends a table, looks at the answers, and takes them home: they are what the command line says.

import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { story, type Given } from './with/story';
import type { Visit } from './with/visit';

async function send(visit: Visit, file: string): Promise<void> {
  const { page } = visit;
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

  // Every row of the file is a row of the page, by number and by class.
  const [head, ...rows] = (await readFile(out, 'utf8')).trimEnd().split('\n');
  const column = head!.split(',').indexOf('prediction');
  const classes = new Map<string, number>();
  for (const row of rows) {
    const name = row.split(',')[column]!;
    classes.set(name, (classes.get(name) ?? 0) + 1);
  }
  const grid = visit.page.getByRole('grid', { name: 'Flows' });
  expect(await grid.getAttribute('aria-rowcount')).toBe(String(rows.length + 1));
  for (const [name, count] of classes) {
    const told = new RegExp(`^${name}\\b.*\\b${count}\\b`, 'is');
    const lines = await visit.page.locator('main button, main li, main tr').allInnerTexts();
    expect(lines.some((line) => told.test(line.replace(/,/g, ''))), `${count} flows of ${name}`).toBe(true);
  }
});

story('what is no table is refused in words, and the page can be used on', async (given) => {
  const service = await given.service();
  const visit = await given.look(service, '/classify');
  visit.allow(/answer 4\d\d|status of 4\d\d/);
  const { page } = visit;
  await page.locator('input[type=file]').setInputFiles({
    name: 'picture.png',
    mimeType: 'image/png',
    buffer: Buffer.from('\x89PNG\r\n\x1a\n no table at all', 'latin1'),
  });
  await page.locator('main [role=alert]').waitFor();
  expect(await page.locator('main [role=alert]').innerText()).toMatch(/\w{4,}/);
  await send(visit, given.made.table);
});
