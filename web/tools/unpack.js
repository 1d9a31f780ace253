// Names the packed files of a built folder that do not unpack to the file beside them: they would be served in its place.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argv } from 'node:process';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

const unpack = { '.br': brotliDecompressSync, '.gz': gunzipSync };

const folder = argv[2] ?? 'dist';
for (const name of await readdir(folder, { recursive: true })) {
  const end = name.slice(-3);
  if (!(end in unpack)) continue;
  try {
    const plain = await readFile(join(folder, name.slice(0, -3)));
    if (unpack[end](await readFile(join(folder, name))).equals(plain)) continue;
  } catch {
    // It is not packed at all, or there is nothing beside it.
  }
  console.log(`${name} does not unpack to the file beside it`);
}
