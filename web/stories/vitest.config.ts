import { defineConfig } from 'vitest/config';

// One after another: each has a service and a browser of its own, and machines are small.
export default defineConfig({
  test: {
    include: ['stories/*.story.ts'],
    globalSetup: ['stories/with/made.ts'],
    fileParallelism: false,
    // Longer than anything here takes on a busy machine; no story asserts a time.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
    disableConsoleIntercept: true,
  },
});
