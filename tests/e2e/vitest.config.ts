import { defineConfig } from 'vitest/config';

// The whole platform as a stranger would start it, driven from outside.
export default defineConfig({
  root: `${import.meta.dirname}/../..`,
  test: {
    name: 'e2e',
    include: ['tests/e2e/**/*.test.ts'],
    globalSetup: ['tests/e2e/support/global-setup.ts'],
    // Schedules and faults are the whole stack's: one file after the other.
    fileParallelism: false,
    // Most of a test is waiting for a queue.
    maxConcurrency: 16,
    experimental: { viteModuleRunner: false },
    testTimeout: 45_000,
    hookTimeout: 150_000,
  },
});
