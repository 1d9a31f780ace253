// What axe finds of serious and critical things that keep somebody out, in each theme.

import axe from 'axe-core';
import type { Visit } from './visit';

const TELLS = ['serious', 'critical'];

type Theme = 'light' | 'dark';

export async function findBarriers(visit: Visit, themes: Theme[] = ['light', 'dark']): Promise<void> {
  const { page } = visit;
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme });
    await visit.frames();
    if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
    const found = await page.evaluate(async () => {
      const here = (globalThis as unknown as { axe: typeof axe }).axe;
      return (await here.run(document, { resultTypes: ['violations'] })).violations;
    });
    for (const { id, impact, help, nodes } of found)
      if (TELLS.includes(impact ?? ''))
        visit.note(
          `axe, ${theme}: ${id}, ${help}: ${nodes.map((node) => node.target.join(' ')).join(' | ')}`,
        );
  }
}
