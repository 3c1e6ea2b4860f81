import { messageAgain, type Waiting } from '@hissaback/shared/domain/assignment';

const AT_ONCE = 100;

/** Sends unmatched postbacks to the ledger consumer again. */
export async function sendAgain(env: WebhookEnv, rows: readonly Waiting[]): Promise<void> {
  for (let at = 0; at < rows.length; at += AT_ONCE)
    await env.POSTBACKS.sendBatch(rows.slice(at, at + AT_ONCE).map((row) => ({ body: messageAgain(row) })));
}
