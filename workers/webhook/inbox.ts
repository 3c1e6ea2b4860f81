import type { PostbackMessage } from '@hissaback/shared/contracts/postback-message';
import { parsePostbackMessage } from '@hissaback/shared/contracts/postback-message';
import { unattachedClaims } from '@hissaback/shared/db/queries/claims';
import type { Database } from '@hissaback/shared/db/types';
import type { Deps } from './deps.ts';

const PREFIX = 'inbox/';
/** The most that one run sends again; R2 lists and deletes a thousand at once. */
const LIMIT = 1_000;
const BATCH = 100;

/*
 * A second place for postbacks between the answer and the books, switched by POSTBACK_INBOX. Cloudflare's queues keep what they accepted; the local
 * runtime's live in memory and die with it, and a 200 must mean stored there too (docs/decisions/0006-inbox.md).
 */

/** Keeps a postback until the consumer has it in the books. */
export async function keepInInbox(env: WebhookEnv, message: PostbackMessage): Promise<void> {
  if (env.POSTBACK_INBOX === 'on' && message.kind !== 'claim' && 'postback_id' in message)
    await env.EVIDENCE.put(PREFIX + message.postback_id, JSON.stringify(message));
}

/** Forgets postbacks that are in the books. Should that fail, they are taken once more, which changes nothing. */
export async function clearInbox(env: WebhookEnv, messages: readonly PostbackMessage[]): Promise<void> {
  if (env.POSTBACK_INBOX !== 'on') return;
  const keys = messages.flatMap((message) => ('postback_id' in message ? [PREFIX + message.postback_id] : []));
  if (keys.length > 0) await env.EVIDENCE.delete(keys);
}

/**
 * Sends again what a crash may have kept from the consumer: postbacks in the inbox, and claims of visitors who were bound to a shopper while their
 * rewards still have none. The consumer takes each once.
 */
export async function resendInbox(db: Database, env: WebhookEnv, deps: Deps): Promise<Record<string, number>> {
  const { objects } = await env.EVIDENCE.list({ prefix: PREFIX, limit: LIMIT });
  const messages: PostbackMessage[] = [];
  for (const { key } of objects) {
    const message = parsePostbackMessage(await (await env.EVIDENCE.get(key))?.json());
    if (message !== null) messages.push(message);
  }
  const claims = await db.transaction((tx) => unattachedClaims(tx, { now: deps.clock.now(), limit: LIMIT }));
  for (const claim of claims) messages.push({ kind: 'claim', visitor_id: claim.visitorId, user_id: claim.userId });
  for (let at = 0; at < messages.length; at += BATCH)
    await env.POSTBACKS.sendBatch(messages.slice(at, at + BATCH).map((body) => ({ body })));
  return { postbacks: messages.length - claims.length, claims: claims.length };
}
