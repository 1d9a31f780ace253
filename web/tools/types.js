// Types of what the API takes and gives, from its own description: the one that the story of the description holds the binary to.

import { readFile, writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';

const SNAPSHOT =
  '../crates/flowgait/tests/stories/snapshots/stories__a_program_reads_the_description__openapi.snap';
const TYPES = 'src/api/schema.ts';

const text = await readFile(new URL(`../${SNAPSHOT}`, import.meta.url), 'utf8');
// A snapshot has a head of its own, between two lines of hyphens.
const document = JSON.parse(text.split('\n---\n').slice(1).join('\n---\n'));
// Only what travels: how it is asked for stands in client.ts, in one place.
document.paths = {};
const types = `// Made by \`npm run types\` from the API's description. Not to be changed by hand.\n\n${astToString(await openapi(document))}`;
await writeFile(new URL(`../${TYPES}`, import.meta.url), types);
