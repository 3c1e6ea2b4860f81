import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: {
        bindings: {
          PLATFORM_HOSTS: 'hissaback.test,localhost',
          REFERENCE_KEYS: `1:${'A'.repeat(43)}`,
          VISITOR_KEYS: `1:${'B'.repeat(42)}A`,
        },
      },
    }),
  ],
  test: { name: 'redirect' },
});
