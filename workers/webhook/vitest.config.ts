import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// In Node, against a real PostgreSQL: consumers and schedules need nothing of the runtime but what is handed to them.
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    name: 'webhook',
    include: ['workers/webhook/**/*.test.ts'],
    globalSetup: ['tests/support/postgres-setup.ts'],
    experimental: { viteModuleRunner: false },
    // None of these changes a module's state: the files share their processes.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
