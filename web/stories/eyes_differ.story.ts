// Dark or light, large text, forced colours, no movement, a small window: whoever looks, the page serves.

import { expect } from 'vitest';
import { findBarriers } from './with/axe';
import { story, type Given } from './with/story';
import type { Service } from './with/service';
import type { Eyes, Visit } from './with/visit';

async function answered(given: Given): Promise<{ service: Service; report: string }> {
  const service = await given.service();
  const { id } = await service.submit(given.made.table, { model: 'kinds', proba: 'true' });
  await service.jobThat(id, 'succeeded');
  return { service, report: `/classify/${id}` };
}

const background = (visit: Visit) =>
  visit.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

/** What is drawn on the canvas of the rows, as the colours that are on it. */
const drawn = (visit: Visit) =>
  visit.page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('[role=grid] canvas');
    if (!canvas) return [];
    // Of a copy: a canvas that is read again and again is warned about.
    const copy = Object.assign(document.createElement('canvas'), {
      width: canvas.width,
      height: canvas.height,
    });
    const pen = copy.getContext('2d', { willReadFrequently: true })!;
    pen.drawImage(canvas, 0, 0);
    const { data } = pen.getImageData(0, 0, copy.width, copy.height);
    const colors = new Set<string>();
    for (let i = 0; i < data.length; i += 4)
      if (data[i + 3] === 255) colors.add(`${data[i]} ${data[i + 1]} ${data[i + 2]}`);
    return [...colors].sort();
  });

/** Text of which a part is not shown, though nothing says that it is cut. */
const cutOff = (visit: Visit) =>
  visit.page.evaluate(() => {
    const found: string[] = [];
    for (const element of document.querySelectorAll<HTMLElement>('body *')) {
      if (element.closest('.unseen, svg, [aria-hidden=true], .skip') || !element.checkVisibility()) continue;
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
      const style = getComputedStyle(element);
      if (!own || style.display === 'inline' || style.textOverflow === 'ellipsis') continue;
      const hides = (axis: string) => axis === 'hidden' || axis === 'clip';
      const over =
        (hides(style.overflowX) && element.scrollWidth > element.clientWidth + 1) ||
        (hides(style.overflowY) && element.scrollHeight > element.clientHeight + 1);
      if (over)
        found.push(`cut off: ${element.tagName}.${element.className} ${element.innerText.slice(0, 40)}`);
    }
    return found;
  });

story('the theme is the system’s until somebody chooses, and the choice stays', async (given) => {
  const { service, report } = await answered(given);
  const person = await given.person({ theme: 'dark' });
  const visit = await given.look(service, report, person);
  const { page } = visit;
  const dark = await background(visit);
  const inDark = await drawn(visit);
  expect(inDark.length).toBeGreaterThan(2);
  await page.emulateMedia({ colorScheme: 'light' });
  await visit.frames();
  const light = await background(visit);
  expect(light).not.toBe(dark);
  // The strips are on a canvas, which knows nothing of style sheets.
  expect(await drawn(visit)).not.toEqual(inDark);

  await page.getByRole('button', { name: 'Show in dark' }).click();
  expect(await background(visit)).toBe(dark);
  expect(await drawn(visit)).toEqual(inDark);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.emulateMedia({ colorScheme: 'light' });
  expect(await background(visit)).toBe(dark);
  await page.reload({ waitUntil: 'commit' });
  // Before anything is drawn: no flash of the other theme.
  await page.waitForFunction(() => !!document.body);
  expect(await background(visit)).toBe(dark);
  await visit.settled();
  expect(await drawn(visit)).toEqual(inDark);
  const other = await given.look(service, '/classify', person);
  await other.page.emulateMedia({ colorScheme: 'light' });
  expect(await background(other)).toBe(dark);
});

story('text is twice as large, and nothing is cut off or wider than the window', async (given) => {
  const { service, report } = await answered(given);
  for (const width of [1280, 640]) {
    const context = await given.person({ width, height: 900 });
    const visit = await given.look(service, '/classify', context);
    const plain = await visit.page.evaluate(() => document.querySelector('h1')!.clientHeight);
    const devtools = await context.newCDPSession(visit.page);
    await devtools.send('Page.setFontSizes', { fontSizes: { standard: 32, fixed: 26 } });
    for (const path of ['/classify', report, `${report}/flows/3`]) {
      await visit.go(path);
      if (path === '/classify')
        expect(await visit.page.evaluate(() => document.querySelector('h1')!.clientHeight)).toBeGreaterThan(
          1.5 * plain,
        );
      const found = [...(await visit.tooWide()), ...(await cutOff(visit))];
      visit.note(...found.map((what) => `at ${width} px, text twice as large: ${what}`));
    }
  }
});

story('in a window of 320 px everything of a job is there, and nothing is wider', async (given) => {
  const { service, report } = await answered(given);
  const visit = await given.look(service, report, { width: 320, height: 640 });
  const { page } = visit;
  const isWell = async (what: string) => {
    await visit.settled();
    const found = [...(await visit.tooWide()), ...(await cutOff(visit))];
    visit.note(...found.map((finding) => `${what}: ${finding}`));
    await findBarriers(visit);
  };
  await isWell('the report');
  await page.getByRole('grid', { name: 'Flows' }).getByRole('row').first().click();
  await page.waitForURL(/\/flows\/\d+$/);
  await isWell('the flow');
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'Jobs' }).click();
  await page.waitForURL(/\/jobs$/);
  await visit.settled();
});

story('in forced colours marks, strips and buttons are still told apart', async (given) => {
  const { service, report } = await answered(given);
  const eyes: Eyes = { forced: true };
  const visit = await given.look(service, report, eyes);
  const { page } = visit;
  await page.getByRole('grid', { name: 'Flows' }).getByRole('row').nth(2).click();
  await visit.settled();
  await findBarriers(visit, ['light']);
  // One colour for all classes: what tells them apart is shape.
  const shapes = await page.evaluate(() => {
    const marks = [...document.querySelectorAll('main svg[viewBox="0 0 10 10"]')];
    return new Set(marks.map((mark) => mark.innerHTML.replaceAll('<!---->', ''))).size;
  });
  expect(shapes).toBeGreaterThan(4);
  const colors = await drawn(visit);
  const text = await page.evaluate(() => {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = 'CanvasText';
    const found = getComputedStyle(probe).color.match(/\d+/g)!.join(' ');
    probe.remove();
    return found;
  });
  expect(colors).toEqual([text]);
  const flat = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('main .button, main button.filled')]
      .filter((button) => getComputedStyle(button).borderStyle === 'none')
      .map((button) => button.innerText),
  );
  expect(flat).toEqual([]);
});

story('who wants no movement sees none', async (given) => {
  const { service, report } = await answered(given);
  const moving = (visit: Visit) =>
    visit.page.evaluate(() => {
      const lasts = (times: string) => times.split(',').some((time) => parseFloat(time) > 0);
      const found = [...document.querySelectorAll('*')].filter((element) => {
        const style = getComputedStyle(element);
        const animated = style.animationName !== 'none' && lasts(style.animationDuration);
        return animated || lasts(style.transitionDuration);
      });
      return new Set(found.map((element) => `${element.tagName}.${element.className}`)).size;
    });
  const [still, lively] = [
    await given.look(service, `${report}/flows/3`, { width: 900 }),
    await given.look(service, `${report}/flows/3`, { width: 900, motion: true }),
  ];
  expect(await moving(still)).toBe(0);
  expect(await moving(lively)).toBeGreaterThan(3);
});
