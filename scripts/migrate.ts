// node scripts/migrate.ts [--url postgres://...]: brings a database up to the last migration. Without --url it takes DATABASE_URL, else the running
// stack's database from DATA_DIR/stack.json.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { migrate } from '@hissaback/shared/db/migrate';
import { dataPaths, REPOSITORY } from './stack/paths.ts';

function ownerUrl(): string {
  const { url } = parseArgs({ options: { url: { type: 'string' } } }).values;
  if (url) return url;
  if (process.env.DATABASE_URL) return process.env.DATABASE_URL;
  const { stackFile } = dataPaths(process.env.DATA_DIR || '.data');
  if (!existsSync(stackFile))
    throw new Error(`no database named: give --url or DATABASE_URL, or start the stack (${stackFile} is not there)`);
  const stack = JSON.parse(readFileSync(stackFile, 'utf8')) as { database: { owner: string } };
  return stack.database.owner;
}

try {
  const { applied } = await migrate(ownerUrl(), join(REPOSITORY, 'migrations'), (line) => console.log(line));
  console.log(applied.length === 0 ? 'nothing to apply' : `${applied.length} applied`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
