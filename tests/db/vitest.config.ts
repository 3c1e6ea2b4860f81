import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    name: 'db',
    include: ['tests/db/**/*.test.ts'],
    globalSetup: ['tests/support/postgres-setup.ts'],
    // Node runs the tests itself, as it runs the scripts that start PostgreSQL.
    experimental: { viteModuleRunner: false },
    // None of these changes a module's state: the files share their processes.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
