// Pictures of every page for the docs, only when they are asked for: FLOWGAIT_PICTURES=1 writes docs/images/PAGE-THEME.png.

import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { addresses } from './with/addresses';
import { small } from './with/picture';
import { federation, story } from './with/story';
import type { Eyes } from './with/visit';

const WANTED = process.env['FLOWGAIT_PICTURES'];
const FOLDER = WANTED && WANTED !== '1' ? resolve(WANTED) : resolve('../docs/images');
const MOST_OCTETS = 200_000;

const eyes: Record<string, Eyes> = {
  dark: { theme: 'dark' },
  light: { theme: 'light' },
  'phone-dark': { theme: 'dark', width: 390, height: 844 },
  'phone-light': { theme: 'light', width: 390, height: 844 },
};

/** `/classify/:job/flows/:flow` is classify-flow. */
function nameOf(pattern: string): string {
  const words = pattern.replaceAll(':', '').split('/').filter(Boolean);
  return [...new Set([words[0] ?? 'home', words.at(-1) ?? 'home'])].join('-');
}

test('every pattern has a name of its own', () => {
  expect(['/', '/classify', '/classify/:job', '/classify/:job/flows/:flow'].map(nameOf)).toEqual([
    'home',
    'classify',
    'classify-job',
    'classify-flow',
  ]);
});

if (WANTED)
  story(
    'every page, dark and light, large and on a phone',
    async (given) => {
      const service = await given.furnished([federation(10, 5), federation(40, 20, 0.5)]);
      const all = await addresses(service);
      const sizes: string[] = [];
      await mkdir(FOLDER, { recursive: true });
      for (const [look, by] of Object.entries(eyes)) {
        const visit = await given.look(service, '/', by);
        for (const [pattern, address] of all) {
          await visit.go(address);
          const picture = small(await visit.page.screenshot({ caret: 'hide' }));
          const name = `${nameOf(pattern)}-${look}.png`;
          await writeFile(join(FOLDER, name), picture);
          sizes.push(`${name}: ${picture.length}`);
          if (picture.length > MOST_OCTETS) visit.note(`${name} has ${picture.length} octets`);
        }
      }
      console.log(`pictures in ${FOLDER}, octets:\n  ${sizes.join('\n  ')}`);
    },
    1_800_000,
  );
