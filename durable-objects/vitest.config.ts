import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: '../wrangler.toml' },
      miniflare: { bindings: { OTP_KEYS: `2:${'B'.repeat(42)}A,1:${'A'.repeat(43)}` } },
    }),
  ],
  test: { name: 'durable-objects' },
});
