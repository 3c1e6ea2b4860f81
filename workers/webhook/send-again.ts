import type { PostbackMessage } from '@hissaback/shared/contracts/postback-message';
import type { Waiting } from '@hissaback/shared/db/queries/unmatched';
import { assigned } from '@hissaback/shared/domain/assignment';

const AT_ONCE = 100;

/** The message that takes an unmatched postback to the ledger consumer again, under its own id. */
export function messageAgain(row: Waiting): PostbackMessage {
  const said = row.assignment === null ? row : assigned(row.raw, row.source, row.assignment);
  return { kind: 'event', postback_id: String(row.unmatched_id), source: said.source, raw: said.raw };
}

/** Sends unmatched postbacks to the ledger consumer again. */
export async function sendAgain(env: WebhookEnv, rows: readonly Waiting[]): Promise<void> {
  for (let at = 0; at < rows.length; at += AT_ONCE)
    await env.POSTBACKS.sendBatch(rows.slice(at, at + AT_ONCE).map((row) => ({ body: messageAgain(row) })));
}
