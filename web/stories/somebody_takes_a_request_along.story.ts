// What a person copies is on the clipboard, wherever the page comes from, and is what it says.

import { expect } from 'vitest';
import { story } from './with/story';

for (const secure of [true, false]) {
  const from = secure ? 'this machine' : 'another machine, over plain HTTP';
  story(`a request that was set by hand is copied on a page from ${from}`, async (given) => {
    const service = await given.service();
    const visit = await given.look(service, '/what-if?model=kinds@1');
    const { page } = visit;
    if (secure) await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    // Such a page has no `clipboard`.
    else await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
    await page.getByRole('button', { name: 'Copy as JSON request' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const field = page.getByPlaceholder(/Find one of/);
    await field.press('Control+V');
    const pasted = await field.inputValue();
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${service.url}/v1/predictions`, { method: 'POST', headers, body: pasted });
    expect(answer.status, await answer.clone().text()).toBe(200);
    expect(await answer.json()).toMatchObject({ model: 'kinds@1' });
  });
}
