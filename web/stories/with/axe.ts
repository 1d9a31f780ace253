// What axe finds of serious and critical things that keep somebody out, in each theme.

import axe from 'axe-core';
import type { Visit } from './visit';

const TELLS = ['serious', 'critical'];

type Theme = 'light' | 'dark';

export async function findBarriers(visit: Visit, themes: Theme[] = ['light', 'dark']): Promise<void> {
  const { page } = visit;
  // Forced colours are the system's, which axe does not know.
  const isForced = await page.evaluate(() => matchMedia('(forced-colors: active)').matches);
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme });
    await visit.frames();
    if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
    const found = await page.evaluate(async (contrast) => {
      const here = (globalThis as unknown as { axe: typeof axe }).axe;
      const rules = { 'color-contrast': { enabled: contrast } };
      return (await here.run(document, { resultTypes: ['violations'], rules })).violations;
    }, !isForced);
    for (const { id, impact, help, nodes } of found)
      if (TELLS.includes(impact ?? ''))
        visit.note(
          `axe, ${theme}: ${id}, ${help}: ${nodes.map((node) => node.target.join(' ')).join(' | ')}`,
        );
  }
}
