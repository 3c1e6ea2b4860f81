// npm run dead-letters -- list|replay [--id <uuid>] [--queue <name>] [--before <time>] [--all]
// Lists the dead letters that nobody has resolved, or asks for their replay: the schedule `rematch` sends them back to their queues. On the local stack the
// database and the schedule come from stack.json; elsewhere DATABASE_URL (an administrator's) says where, and that place's schedule does the rest.
import { parseArgs } from 'node:util';
import type { RunReport } from '@hissaback/shared/contracts/schedules';
import { openDatabase } from '@hissaback/shared/db/client';
import { type DeadLetterFilter, listUnresolved, requestReplay } from '@hissaback/shared/db/queries/dead-letters';
import { isUuid } from '@hissaback/shared/domain/uuid';
import { runningStack } from './stack/running-stack.ts';

const LISTED = 50;
const USAGE = 'npm run dead-letters -- list|replay [--id <uuid>] [--queue <name>] [--before <RFC 3339 time>] [--all]';

/** Ends with a message that says what to do. */
class Refusal extends Error {}

type Command = { verb: 'list' | 'replay'; filter: DeadLetterFilter };

function command(): Command {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      id: { type: 'string' },
      queue: { type: 'string' },
      before: { type: 'string' },
      all: { type: 'boolean', default: false },
    },
  });
  const [verb = ''] = positionals;
  if ((verb !== 'list' && verb !== 'replay') || positionals.length > 1) throw new Refusal(USAGE);
  const { id, queue, before } = values;
  const isFiltered = id !== undefined || queue !== undefined || before !== undefined;
  // A replay of everything is asked for in so many words.
  if (verb === 'replay' && isFiltered === values.all) throw new Refusal(`Say which, or --all.\n${USAGE}`);
  if (id !== undefined && !isUuid(id)) throw new Refusal(`--id takes the id that list shows, a UUID.\n${USAGE}`);
  const at = before === undefined ? undefined : Date.parse(before);
  if (Number.isNaN(at)) throw new Refusal(`--before takes a time such as 2026-11-01T12:00:00Z.\n${USAGE}`);
  return {
    verb,
    filter: {
      ...(id !== undefined && { id }),
      // Whoever looks at the dead-letter queue may name that one.
      ...(queue !== undefined && { queue: queue.replace(/-dlq$/, '') }),
      ...(at !== undefined && { before: at }),
    },
  };
}

async function list(databaseUrl: string, filter: DeadLetterFilter): Promise<void> {
  const db = openDatabase({ connectionString: databaseUrl });
  try {
    const { rows, total } = await db.transaction((tx) => listUnresolved(tx, filter, LISTED));
    for (const row of rows) {
      const asked = row.replay_requested_at === null ? '' : '  (replay asked for)';
      console.log(
        `${row.created_at.toISOString()}  ${row.dead_letter_id}  ${row.queue}  ${row.reason}  tried ${row.attempts} times${asked}`,
      );
    }
    if (total > rows.length) console.log(`... and ${total - rows.length} more`);
    console.log(`${total} unresolved`);
  } finally {
    await db.end();
  }
}

async function replay(databaseUrl: string, rematchUrl: string | null, filter: DeadLetterFilter): Promise<void> {
  const db = openDatabase({ connectionString: databaseUrl });
  try {
    const asked = await db.transaction((tx) => requestReplay(tx, filter, Date.now()), { statementTimeoutMs: 60_000 });
    console.log(`${asked} asked for.`);
    if (rematchUrl === null) {
      console.log('The next runs of the schedule rematch send them (every ten minutes).');
      return;
    }
    let sent = 0;
    let report: RunReport;
    do {
      report = (await (await fetch(rematchUrl, { method: 'POST' })).json()) as RunReport;
      if (!report.ok) throw new Refusal(`The run failed: ${report.error ?? 'its log says why'}`);
      sent += report.counts.replayed ?? 0;
    } while (report.counts.more === 1);
    console.log(`${sent} sent back to their queues.`);
  } finally {
    await db.end();
  }
}

try {
  const { verb, filter } = command();
  const { databaseUrl, stack } = runningStack();
  if (verb === 'list') await list(databaseUrl, filter);
  else await replay(databaseUrl, stack?.cron.rematch ?? null, filter);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
