import { defineConfig } from 'vitest/config';

// The schedules are plain functions of their dependencies: Node runs them against a real PostgreSQL and the stand-ins of AGCOD, SMS and pager.
export default defineConfig({
  root: `${import.meta.dirname}/../..`,
  test: {
    name: 'payout-cron',
    include: ['workers/payout-cron/**/*.test.ts'],
    globalSetup: ['tests/support/postgres-setup.ts'],
    experimental: { viteModuleRunner: false },
    // None of these changes a module's state: the files share their processes.
    isolate: false,
    silent: 'passed-only',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
