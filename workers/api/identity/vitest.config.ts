import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// In Node, against a real PostgreSQL: the routes need nothing of the runtime, and the Durable Objects have tests of their own.
export default defineConfig({
  root: join(import.meta.dirname, '../../..'),
  test: {
    name: 'identity',
    include: ['workers/api/identity/**/*.test.ts'],
    globalSetup: ['tests/support/postgres-setup.ts'],
    experimental: { viteModuleRunner: false },
    // None of these changes a module's state: the files share their processes.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
