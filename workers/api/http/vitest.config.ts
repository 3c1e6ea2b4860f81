import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// What holds on all routes alike; beside the project of the routes themselves, so that the two run at the same time.
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    name: 'api-http',
    include: ['http/**/*.test.ts', '*.test.ts'],
    globalSetup: ['../../tests/support/postgres-setup.ts'],
    server: { deps: { external: [/\/(?:scripts\/stack|tests\/support)\//] } },
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
