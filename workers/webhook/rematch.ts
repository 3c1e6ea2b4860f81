import { claimsToPursue } from '@hissaback/shared/db/queries/missing-cashback';
import { unmatchedToRetry } from '@hissaback/shared/db/queries/unmatched';
import type { Database } from '@hissaback/shared/db/types';
import { bringHome } from './dead-letters-at-rest.ts';
import type { Deps } from './deps.ts';
import { poll } from './poll.ts';
import { replayDeadLetters } from './replay-dead-letters.ts';
import { sendAgain } from './send-again.ts';
import { watchDeadLetters } from './watch-dead-letters.ts';

/** The most of each that one run sends again; the next one goes on. */
const LIMIT = 1_000;
const DAY_MS = 86_400_000;
/** An open claim of missing cashback is searched for again this often, and for this long: the network may still report the sale. */
const CLAIM_AGAIN_MS = DAY_MS;
const CLAIM_FOR_MS = 60 * DAY_MS;

/**
 * Catches up on what a crash may have lost and on what was asked for meanwhile: unmatched postbacks that may be matched by now are sent to the consumer
 * again, dead letters kept in R2 come home, those whose replay was asked for are sent back, claims are pursued, an unfinished poll goes on.
 */
export async function rematch(db: Database, env: WebhookEnv, deps: Deps): Promise<Record<string, number>> {
  const waiting = await db.transaction((tx) => unmatchedToRetry(tx, LIMIT));
  await sendAgain(env, waiting);
  const home = await bringHome(db, env, deps);
  const { replayed, more } = await replayDeadLetters(db, env, deps);
  await watchDeadLetters(db, env, deps);
  const claims = await pursueClaims(db, env, deps);
  const polled = await poll(db, env, deps, 'unfinished');
  return {
    rematched: waiting.length,
    dead_letters: home,
    replayed,
    more,
    claims,
    polls_finished: polled.polls_finished,
  };
}

async function pursueClaims(db: Database, env: WebhookEnv, deps: Deps): Promise<number> {
  const now = deps.clock.now();
  const claims = await db.transaction((tx) =>
    claimsToPursue(tx, { before: now - CLAIM_AGAIN_MS, since: now - CLAIM_FOR_MS, limit: LIMIT }),
  );
  for (let at = 0; at < claims.length; at += 100)
    await env.POSTBACKS.sendBatch(
      claims.slice(at, at + 100).map((claim_id) => ({ body: { kind: 'missing_cashback', claim_id } })),
    );
  return claims.length;
}
