import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { budget } from './tools/budget.js';
import { packed } from './tools/packed.js';

// `FLOWGAIT=http://127.0.0.1:8080 npm run dev` talks to a server elsewhere.
declare const process: { env: Record<string, string | undefined> };
// The server compares where a page comes from with the host that it asks: that must stay as it is.
const server = { target: process.env['FLOWGAIT'] ?? 'http://127.0.0.1:8080', changeOrigin: false };

export default defineConfig({
  plugins: [svelte(), budget(), packed()],
  build: {
    target: 'es2023',
    // The page is served under `default-src 'self'`: a data URL would be refused.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/v1': server, '/v2': server } },
  // Tests read the style sheet as text.
  test: { css: true, include: ['src/**/*.test.ts'] },
  preview: { proxy: { '/v1': server, '/v2': server } },
});
