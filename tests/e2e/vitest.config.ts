import { defineConfig } from 'vitest/config';

// The whole platform as a stranger would start it, driven from outside.
export default defineConfig({
  root: `${import.meta.dirname}/../..`,
  test: {
    name: 'e2e',
    include: ['tests/e2e/**/*.test.ts'],
    globalSetup: ['tests/e2e/support/global-setup.ts'],
    setupFiles: ['tests/e2e/support/audit-after-file.ts'],
    // Schedules and faults are the whole stack's: one file after the other.
    fileParallelism: false,
    isolate: false,
    experimental: { viteModuleRunner: false },
    testTimeout: 45_000,
    hookTimeout: 150_000,
  },
});
