// The page is served under a policy that lets nothing in, and keeps to it; a person without network sees all of it.

import { expect } from 'vitest';
import { until } from './with/place';
import { story } from './with/story';
import { findBarriers } from './with/axe';

story('the policy is strict, it holds, and the page never runs into it', async (given) => {
  const service = await given.service();
  const { id } = await service.submit(given.made.table, { model: 'kinds', proba: 'true' });
  await service.jobThat(id, 'succeeded');
  for (const path of ['/', '/classify', `/classify/${id}`, '/nowhere']) {
    const { headers } = await fetch(service.url + path, { headers: { accept: 'text/html' } });
    const policy = headers.get('content-security-policy') ?? '';
    const rules = new Map(policy.split(';').map((rule) => rule.trim().split(/ (.*)/) as [string, string]));
    expect(rules.get('default-src'), path).toBe("'self'");
    for (const name of ['object-src', 'base-uri', 'form-action', 'frame-ancestors'])
      expect(rules.get(name), `${name} of ${path}`).toBe("'none'");
    expect(policy, path).not.toMatch(/unsafe|https?:|data:|blob:|\*/);
    expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    expect(headers.get('referrer-policy'), path).toBe('no-referrer');
  }
  const visit = await given.look(service, `/classify/${id}/flows/3`);
  const { page } = visit;
  await findBarriers(visit);
  expect(visit.findings()).toEqual([]);

  // And now what it must refuse, which is also how a story would hear of it.
  visit.allow(/policy: |Content Security Policy|'default-src' is used as a fallback/);
  // What a debugger evaluates may do more than the page, so this is done in a turn of the page's own.
  const evaluated = await page.evaluate(
    () =>
      new Promise<unknown>((good) =>
        setTimeout(() => {
          try {
            good(new Function('return 1')());
          } catch (error) {
            good((error as Error).name);
          }
        }),
      ),
  );
  expect(evaluated).toBe('EvalError');
  const colored = await page.evaluate(() => {
    const box = document.createElement('div');
    box.innerHTML = '<i style="color: rgb(1, 2, 3)"></i>';
    document.body.append(box);
    const { color } = getComputedStyle(box.firstElementChild!);
    box.remove();
    return color;
  });
  expect(colored).not.toBe('rgb(1, 2, 3)');
  const fetched = await page.evaluate(() =>
    fetch('http://127.0.0.1:1/').then(
      () => 'answered',
      () => 'refused',
    ),
  );
  expect(fetched).toBe('refused');
  for (const rule of ['script-src', 'style-src-attr', 'connect-src'])
    await until(`word that ${rule} was broken`, () =>
      visit.all().some((finding) => finding.startsWith(`policy: ${rule}`)) ? true : undefined,
    );
});
