import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// The real handlers on a real PostgreSQL, everything around them simulated from one seed.
export default defineConfig({
  root: join(import.meta.dirname, '..'),
  test: {
    name: 'simulation',
    include: ['simulation/**/*.test.ts'],
    globalSetup: ['tests/support/postgres-setup.ts'],
    experimental: { viteModuleRunner: false },
    silent: 'passed-only',
    testTimeout: 240_000,
    hookTimeout: 60_000,
  },
});
