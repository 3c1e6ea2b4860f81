// npm run api:docs: writes docs/api.md from what the routes say of themselves. The pages among them are JSX, which Vitest reads and Node does not.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { REPOSITORY } from './stack/paths.ts';

const { status } = spawnSync(
  process.execPath,
  [
    join(REPOSITORY, 'node_modules/vitest/vitest.mjs'),
    ...['run', '--update', '--config', join(REPOSITORY, 'workers/api/openapi/vitest.config.ts'), 'table.test.ts'],
  ],
  { stdio: 'inherit', cwd: REPOSITORY },
);
process.exitCode = status ?? 1;
