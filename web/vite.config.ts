import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// `FLOWGAIT=http://127.0.0.1:8080 npm run dev` talks to a server elsewhere.
declare const process: { env: Record<string, string | undefined> };
const server = process.env['FLOWGAIT'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2023',
    // The page is served under `default-src 'self'`: a data URL would be refused.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // Whoever asks keeps its own host, or the server takes it for another site and refuses what changes things.
  server: { proxy: { '/v1': { target: server, changeOrigin: false } } },
  // Tests read the style sheet as text.
  test: { css: true, include: ['src/**/*.test.ts'] },
  preview: { proxy: { '/v1': { target: server, changeOrigin: false } } },
});
