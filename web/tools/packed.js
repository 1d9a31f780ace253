// Beside every built file that is worth it: the same by Brotli and by gzip, so that the server packs nothing while it serves.

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** What packs well; a smaller file is sent in one packet anyway. */
const TEXT = /\.(html|js|css|svg|json)$/;
const LEAST_OCTETS = 1_000;

/** @returns {import('vite').Plugin} */
export function packed() {
  let folder = 'dist';
  return {
    name: 'packed',
    apply: 'build',
    configResolved: (config) => void (folder = config.build.outDir),
    async closeBundle() {
      const files = await readdir(folder, { recursive: true });
      for (const name of files.filter((name) => TEXT.test(name))) {
        const path = join(folder, name);
        const plain = await readFile(path);
        if (plain.length < LEAST_OCTETS) continue;
        const params = { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length };
        await writeFile(`${path}.br`, brotliCompressSync(plain, { params }));
        await writeFile(`${path}.gz`, gzipSync(plain, { level: 9 }));
      }
    },
  };
}
