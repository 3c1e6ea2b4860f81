// npm run import-conversions -- <file.csv> [--dry-run] [--url <origin>]: sends a CSV file of the network's conversions through
// POST /v1/reconciliation/imports, as it is read. HISSABACK_TOKEN is an operator's access token; on the local stack the command logs in as the seeded
// operator by itself. Ends with 1 if a row could not be taken.
import { createReadStream, existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import type { ImportAnswer } from '@hissaback/shared/contracts/reconciliation';
import { operatorToken } from './stack/operator-token.ts';
import { dataPaths } from './stack/paths.ts';
import { runningStack } from './stack/running-stack.ts';

const USAGE = 'npm run import-conversions -- <file.csv> [--dry-run] [--url <origin>]';

async function where(url: string | undefined): Promise<{ origin: string; token: string }> {
  const { HISSABACK_TOKEN } = process.env;
  if (url !== undefined) {
    if (!HISSABACK_TOKEN) throw new Error("With --url, put an operator's access token into HISSABACK_TOKEN.");
    return { origin: url.replace(/\/$/, ''), token: HISSABACK_TOKEN };
  }
  const { stack } = runningStack({ ...process.env, DATABASE_URL: '' });
  if (stack === null) throw new Error(USAGE);
  const { operatorToken: operatorFile } = dataPaths(process.env.DATA_DIR || '.data');
  return { origin: stack.origin, token: HISSABACK_TOKEN || (await operatorToken(stack, operatorFile)) };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false }, url: { type: 'string' } },
  });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new Error(USAGE);
  if (!existsSync(file)) throw new Error(`${file} is not there`);
  const { origin, token } = await where(values.url);
  const answer = await fetch(`${origin}/v1/reconciliation/imports?dry_run=${values['dry-run']}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/csv' },
    body: Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>,
    duplex: 'half',
  } as RequestInit);
  if (!answer.ok) throw new Error(`the import answered ${answer.status}: ${await answer.text()}`);
  const report = (await answer.json()) as ImportAnswer;
  for (const { line, reason } of report.errors) console.log(`line ${line}: ${reason}`);
  const sent = report.dry_run ? 'would be sent' : 'sent';
  console.log(
    `${report.listed} rows: ${report.sent} ${sent}, ${report.known} known, ${report.failed} not taken (import ${report.import_id})`,
  );
  if (!report.complete) console.log('The file breaks off: what comes behind the last line above was not read.');
  return report.failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
