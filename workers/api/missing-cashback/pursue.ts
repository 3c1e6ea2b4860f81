import type { PostbackMessage } from '@hissaback/shared/contracts/postback-message';
import type { Context } from 'hono';
import type { ApiContext } from '../context.ts';

/** Tells the ledger consumer of a claim. It is written down already: should the queue refuse, the schedule `rematch` finds it. */
export async function pursue(c: Context<ApiContext>, claim_id: string): Promise<void> {
  const message: PostbackMessage = { kind: 'missing_cashback', claim_id };
  await c.env.POSTBACKS.send(message).catch((error: unknown) => c.var.log.warn('claim_not_sent', { claim_id, error }));
}
