import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// What can be said of the API without asking a database.
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    name: 'openapi',
    include: ['openapi/**/*.test.ts', 'docs/**/*.test.ts'],
    isolate: false,
    testTimeout: 30_000,
  },
});
