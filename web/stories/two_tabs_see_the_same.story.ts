// Two tabs, and another person elsewhere, look at the same job: what one does, all see.

import { expect } from 'vitest';
import { Service } from './with/service';
import { story } from './with/story';

story('a job that one tab stops is stopped in the other, and in the list', async (given) => {
  const service = await Service.start(given.place, [...Service.inFolder, '--workers', '0']);
  const person = await given.person();
  const list = await given.look(service, '/classify', person);
  const { id } = await service.submit(given.made.table);
  // It was not there when the list was asked for.
  const line = list.page.locator(`main a[href="/classify/${id}"]`);
  await line.waitFor();
  expect(await line.innerText()).toContain('Queued');
  const first = await given.look(service, `/classify/${id}`, person);
  const second = await given.look(service, `/classify/${id}`, person);
  const stranger = await given.look(service, `/classify/${id}`);
  for (const visit of [first, second, stranger])
    await visit.page.getByText('It waits for a worker.').waitFor();
  await first.page.getByRole('button', { name: 'Stop', exact: true }).click();
  for (const visit of [first, second, stranger])
    await visit.page.getByText('It was stopped before it had answers.').waitFor();
  await line.filter({ hasText: 'Stopped' }).waitFor();
});

story('a job that begins in one tab ends in both', async (given) => {
  const service = await given.service();
  const person = await given.person();
  const [first, second] = [
    await given.look(service, '/classify', person),
    await given.look(service, '/classify', person),
  ];
  await first.page.locator('input[type=file]').setInputFiles(given.made.table);
  await first.page.getByRole('grid', { name: 'Flows' }).waitFor();
  const line = second.page.locator('main a[href^="/classify/"]', { hasText: 'Succeeded' });
  await line.waitFor();
  await line.click();
  await second.page.getByRole('grid', { name: 'Flows' }).waitFor();
  expect(new URL(second.page.url()).pathname).toBe(new URL(first.page.url()).pathname);
});
