// How much a browser has to fetch until a page is there: what the document names, the page's own code, and what that is made of.

import { gzipSync } from 'node:zlib';

/** Octets by gzip, of any one page with all that it needs. */
export const PAGE_OCTETS = 120_000;

const packed = (content) => gzipSync(content, { level: 9 }).length;

/** Fails a build of which a page is too large; tells the largest. @returns {import('vite').Plugin} */
export function budget() {
  return {
    name: 'budget',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const needs = (name, all = new Set()) => {
          const chunk = bundle[name];
          if (!chunk || all.has(name)) return all;
          all.add(name);
          for (const style of chunk.viteMetadata?.importedCss ?? []) all.add(style);
          for (const other of chunk.imports ?? []) needs(other, all);
          return all;
        };
        const octets = (names) =>
          [...names].reduce((sum, name) => sum + packed(bundle[name].code ?? bundle[name].source), 0);
        const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
        const frame = chunks.filter((chunk) => chunk.isEntry).flatMap((chunk) => [...needs(chunk.fileName)]);
        const pages = chunks
          .filter((chunk) => chunk.isDynamicEntry)
          .map((chunk) => [chunk.name, octets(new Set([...frame, ...needs(chunk.fileName)]))])
          .sort(([, a], [, b]) => b - a);
        const [largest, most] = pages[0];
        this.info?.(`the largest page, ${largest}, is ${most} octets by gzip with all that it needs`);
        if (most > PAGE_OCTETS)
          this.error(`${largest} is ${most} octets by gzip; a page may have ${PAGE_OCTETS}`);
      },
    },
  };
}
