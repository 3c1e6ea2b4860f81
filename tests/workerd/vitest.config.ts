import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { bindingsOf } from './support/bindings.ts';

// The api, the webhook and the payout worker inside the Workers runtime: one script holds all three, with the bindings that each one's own
// wrangler.toml names. Their other tests run in Node, where a clock, a queue or a connection can be made to misbehave.
export default defineConfig({
  root: import.meta.dirname,
  plugins: [
    cloudflareTest(async ({ inject }) => ({
      main: './support/main.ts',
      miniflare: await bindingsOf(inject('outside')),
    })),
  ],
  test: {
    name: 'workerd',
    globalSetup: ['../support/postgres-setup.ts', './support/outside.ts'],
    // The files share a runtime: its start and the modules of three workers cost more than the tests.
    isolate: false,
    fileParallelism: false,
    silent: 'passed-only',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
