import { resolvePage, triggerPage } from '@hissaback/shared/clients/pager';
import { type DeadLetter, insertDeadLetters } from '@hissaback/shared/db/queries/dead-letters';
import type { Database } from '@hissaback/shared/db/types';
import { createLog } from '@hissaback/shared/http/log';
import type { Deps } from './deps.ts';
import { PAGER_SOURCE, pagerOf } from './pager.ts';

const PREFIX = 'dead-letters/';
/** Says that operators have been called about letters in R2; its name sorts behind no queue's. */
const PAGED = 'dead-letters-paged.json';
const DEDUP_KEY = 'dead-letters-in-r2';
const AT_ONCE = 100;
const MOST_BATCHES = 10;

/** Keeps a dead letter in R2 while PostgreSQL cannot (money rule 18). The key is the message's, so a second delivery writes the same object. */
export async function putAtRest(env: WebhookEnv, letter: DeadLetter): Promise<void> {
  await env.EVIDENCE.put(`${PREFIX}${letter.queue}/${letter.messageId}.json`, JSON.stringify(letter));
}

/** Calls operators once for as long as letters rest in R2: PostgreSQL is down and conversions wait. */
export async function pageAboutRest(env: WebhookEnv, deps: Deps): Promise<void> {
  if ((await env.EVIDENCE.head(PAGED)) !== null) return;
  const isPaged = await triggerPage(pagerOf(env, deps), {
    dedupKey: DEDUP_KEY,
    summary: 'Dead letters had to be kept in R2: PostgreSQL does not take them',
    severity: 'critical',
    source: PAGER_SOURCE,
  });
  if (isPaged) await env.EVIDENCE.put(PAGED, JSON.stringify({ paged_at: deps.clock.now() }));
}

/**
 * Brings letters home from R2; each is deleted there only once it is in PostgreSQL. One that cannot be read stays and holds nothing up.
 * @returns how many came home
 */
export async function bringHome(db: Database, env: WebhookEnv, deps: Deps): Promise<number> {
  let home = 0;
  let cursor: string | undefined;
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const listed = await env.EVIDENCE.list({ prefix: PREFIX, limit: AT_ONCE, ...(cursor !== undefined && { cursor }) });
    const letters: { key: string; letter: DeadLetter }[] = [];
    for (const { key } of listed.objects) {
      const letter = parseLetter(await (await env.EVIDENCE.get(key))?.text());
      if (letter !== null) letters.push({ key, letter });
      else createLog({ clock: deps.clock, service: 'webhook' }).error('unreadable_dead_letter', { key });
    }
    if (letters.length > 0) {
      await db.transaction((tx) =>
        insertDeadLetters(
          tx,
          letters.map(({ letter }) => letter),
        ),
      );
      await env.EVIDENCE.delete(letters.map(({ key }) => key));
      home += letters.length;
    }
    if (!listed.truncated) {
      await endPage(env, deps);
      break;
    }
    cursor = listed.cursor;
  }
  return home;
}

async function endPage(env: WebhookEnv, deps: Deps): Promise<void> {
  if ((await env.EVIDENCE.head(PAGED)) === null) return;
  if (await resolvePage(pagerOf(env, deps), DEDUP_KEY)) await env.EVIDENCE.delete(PAGED);
}

function parseLetter(text: string | undefined): DeadLetter | null {
  try {
    const value = JSON.parse(text ?? '') as Partial<DeadLetter> | null;
    const isWhole =
      typeof value?.id === 'string' &&
      typeof value.queue === 'string' &&
      typeof value.messageId === 'string' &&
      typeof value.reason === 'string' &&
      typeof value.attempts === 'number' &&
      typeof value.at === 'number';
    return isWhole ? (value as DeadLetter) : null;
  } catch {
    return null;
  }
}
