import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

// Stands in for the click consumer: what the real queue delivered can be read back over HTTP.
const CLICK_SINK = `
  const clicks = [];
  export default {
    fetch: () => Response.json(clicks),
    queue: (batch) => { for (const message of batch.messages) clicks.push(message.body); },
  };
`;

export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: {
        bindings: {
          PLATFORM_HOSTS: 'hissaback.test, localhost',
          REFERENCE_KEYS: `1:${'A'.repeat(43)}`,
          VISITOR_KEYS: `1:${'B'.repeat(42)}A`,
        },
        serviceBindings: { CLICK_SINK: 'click-sink' },
        workers: [
          {
            name: 'click-sink',
            modules: true,
            script: CLICK_SINK,
            compatibilityDate: '2026-10-01',
            queueConsumers: { 'hissaback-clicks': { maxBatchSize: 100, maxBatchTimeout: 0.05 } },
          },
        ],
      },
    }),
  ],
  test: { name: 'redirect' },
});
