// Types of what the API takes and gives, from its own description: the one that the story of the description holds the binary to.
// `node tools/types.js` writes them; with --check it only tells whether they are what it would write.

import { readFile, writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';
import { format, resolveConfig } from 'prettier';

const DESCRIPTION = new URL(
  '../../crates/flowgait/tests/stories/snapshots/stories__a_program_reads_the_description__openapi.snap',
  import.meta.url,
);
const TYPES = new URL('../src/api/schema.ts', import.meta.url);

const snapshot = await readFile(DESCRIPTION, 'utf8');
// A snapshot has a head of its own, between two lines of hyphens.
const document = JSON.parse(snapshot.split('\n---\n').slice(1).join('\n---\n'));
// Only what travels: how it is asked for stands in client.ts, in one place.
document.paths = {};
const head = "// Made by `npm run types` from the API's description. Not to be changed by hand.\n\n";
const types = await format(head + astToString(await openapi(document)), {
  ...(await resolveConfig(TYPES)),
  parser: 'typescript',
});
if (!process.argv.includes('--check')) {
  await writeFile(TYPES, types);
} else if (types !== (await readFile(TYPES, 'utf8'))) {
  console.error("src/api/schema.ts is not what the API's description says: npm run types");
  process.exit(1);
}
