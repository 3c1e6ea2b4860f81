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
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
