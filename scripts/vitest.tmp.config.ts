import { defineConfig } from 'vitest/config';
export default defineConfig({ root: new URL('..', import.meta.url).pathname, test: { include: ['scripts/seed.test.ts','packages/shared/contracts/publish.test.ts','packages/shared/contracts/fields.test.ts','packages/shared/domain/slug.test.ts'], globalSetup: ['tests/support/postgres-setup.ts'], experimental: { viteModuleRunner: false } } });
