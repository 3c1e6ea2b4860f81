import { defineConfig } from 'vitest/config';

// What needs no Workers runtime: the pure core, the sandboxes, the scripts. Each other folder with tests has a vitest.config.ts of its own.
export default defineConfig({
  root: import.meta.dirname,
  test: {
    name: 'unit',
    include: ['packages/**/*.test.ts', 'sandbox/**/*.test.ts', 'scripts/**/*.test.ts'],
    globalSetup: ['tests/support/postgres-setup.ts'],
    // Node runs the tests itself, as it runs the scripts and the sandboxes.
    experimental: { viteModuleRunner: false },
    // None of these changes a module's state: the files share a process.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
