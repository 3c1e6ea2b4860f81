import { defineConfig } from 'vitest/config';

// The runtime is killed while it pays: the short version of `npm run chaos`.
export default defineConfig({
  root: `${import.meta.dirname}/../..`,
  test: {
    name: 'chaos',
    include: ['tests/chaos/**/*.test.ts'],
    fileParallelism: false,
    experimental: { viteModuleRunner: false },
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
