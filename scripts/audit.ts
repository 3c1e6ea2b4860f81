// npm run audit [-- --url postgres://...]: checks every invariant of the books. Without --url it takes DATABASE_URL, else the running stack's
// database from DATA_DIR/stack.json. Ends with 1 on a breach, with 2 if it could not ask.
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openDatabase } from '@hissaback/shared/db/client';
import { audit, INVARIANTS } from '@hissaback/shared/db/queries/audit';
import { dataPaths } from './stack/paths.ts';
import type { StackFile } from './stack/stack-file.ts';

const STATEMENT_TIMEOUT_MS = 300_000;

function ownerUrl(): string {
  const { url } = parseArgs({ options: { url: { type: 'string' } } }).values;
  if (url) return url;
  if (process.env.DATABASE_URL) return process.env.DATABASE_URL;
  const { stackFile } = dataPaths(process.env.DATA_DIR || '.data');
  if (!existsSync(stackFile))
    throw new Error(`no database named: give --url or DATABASE_URL, or start the stack (${stackFile} is not there)`);
  const stack = JSON.parse(readFileSync(stackFile, 'utf8')) as StackFile;
  return stack.database.owner;
}

async function main(): Promise<number> {
  const db = openDatabase({ connectionString: ownerUrl() });
  let broken = 0;
  try {
    for (const invariant of INVARIANTS) {
      const [breach] = await db.transaction((tx) => audit(tx, [invariant]), {
        statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      });
      console.log(`${breach === undefined ? 'ok    ' : 'BROKEN'}  ${invariant.name.padEnd(10)}  ${invariant.says}`);
      if (breach === undefined) continue;
      broken += 1;
      for (const example of breach.examples) console.log(`            ${example}`);
      if (breach.count > breach.examples.length)
        console.log(`            and ${breach.count - breach.examples.length} more`);
    }
  } finally {
    await db.end();
  }
  console.log(
    broken === 0
      ? `\nThe books are clean: ${INVARIANTS.length} invariants hold.`
      : `\n${broken} of ${INVARIANTS.length} invariants are broken.`,
  );
  return broken === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
