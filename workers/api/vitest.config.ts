import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    name: 'api',
    include: ['*/**/*.test.ts'],
    // These have projects of their own.
    exclude: ['identity/**', 'openapi/**', 'docs/**', 'http/**', 'node_modules/**'],
    globalSetup: ['../../tests/support/postgres-setup.ts'],
    // Pages are JSX, which Node does not read; what starts PostgreSQL is Node's own.
    server: { deps: { external: [/\/(?:scripts\/stack|tests\/support)\//] } },
    // Nothing here changes a module's state, so the files of a worker share their modules.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
