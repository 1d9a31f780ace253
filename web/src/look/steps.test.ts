import { expect, test } from 'vitest';

// The layout's steps are counted in the size of text, so that whoever reads large text gets the layout of a small window.
test('no step of the layout is in pixels', () => {
  const files = import.meta.glob<string>(['/src/**/*.{svelte,css,ts}', '!**/*.test.ts'], {
    query: '?raw',
    import: 'default',
    eager: true,
  });
  const found = Object.entries(files).flatMap(([name, text]) =>
    [...text.matchAll(/(@media|matchMedia)[^\n]*\d+px\b.*/g)].map(([line]) => `${name}: ${line}`),
  );
  expect(Object.keys(files).length).toBeGreaterThan(50);
  expect(found).toEqual([]);
});
