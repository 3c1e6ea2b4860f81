import { readFileSync } from 'node:fs';
import type { RunReport } from '@hissaback/shared/contracts/schedules';
import pg from 'pg';
import { dataPaths } from './stack/paths.ts';
import type { StackFile } from './stack/stack-file.ts';

// KV is a copy. This forgets what was copied and runs the schedule `publish` until everything is there again. On the local stack the addresses come
// from stack.json; elsewhere DATABASE_URL (the owner's) says where to forget, and the schedule of that place does the rest within minutes.

async function forgetCopies(connectionString: string): Promise<number> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query('update links set published_version = 0')).rowCount ?? 0;
  } finally {
    await client.end();
  }
}

async function publish(url: string): Promise<RunReport> {
  const answer = await fetch(url, { method: 'POST' });
  return (await answer.json()) as RunReport;
}

const external = process.env.DATABASE_URL;
if (external) {
  console.log(`${await forgetCopies(external)} links are published again by the next runs of the schedule.`);
} else {
  const { root, stackFile } = dataPaths(process.env.DATA_DIR || '.data');
  let stack: StackFile;
  try {
    stack = JSON.parse(readFileSync(stackFile, 'utf8'));
  } catch {
    console.error(`No stack runs on ${root}, and DATABASE_URL is not set.`);
    process.exit(1);
  }
  const links = await forgetCopies(stack.database.owner);
  let report: RunReport;
  do {
    report = await publish(stack.cron.publish);
  } while (report.ok && report.counts.more === 1);
  if (report.ok) console.log(`${links} links are in KV again.`);
  else console.error(`The run failed: ${report.error ?? 'its log says why'}`);
  process.exitCode = report.ok ? 0 : 1;
}
