// A service that wants a key asks for it once, and a wrong one is told as such; no script can read it afterwards.

import { writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { Service } from './with/service';
import { story } from './with/story';

const KEY = 'a-key-of-thirty-characters-here';

story('a page that is refused asks for a key, and goes on where it was', async (given) => {
  await writeFile(given.place.path('keys.txt'), `anna:jobs:${KEY}\n`);
  const service = await Service.start(given.place, [...Service.inFolder, '--keys-file', 'keys.txt']);
  // Refusals are what it is about, so nobody listens for them here.
  const page = await (await given.person()).newPage();
  await page.goto(`${service.url}/jobs?state=failed`);
  const field = page.locator('dialog input');
  await field.fill('fgk_nobody-has-this-one');
  await page.keyboard.press('Enter');
  await page.getByText('This key is not known').waitFor();
  await field.fill(KEY);
  await page.keyboard.press('Enter');
  await page.locator('dialog').waitFor({ state: 'detached' });
  expect(page.url()).toBe(`${service.url}/jobs?state=failed`);
  await page.getByRole('status').filter({ hasText: 'Live' }).first().waitFor();
  expect(await page.evaluate(() => document.cookie)).toBe('');
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ name: 'flowgait', httpOnly: true, sameSite: 'Strict' });
});
