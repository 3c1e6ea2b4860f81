import type { IdentityBindings } from './env.ts';

/** Tells the ledger consumer that a visitor is this shopper now, so that its waiting rewards become theirs (money rule 8). Safe to repeat. */
export async function announceClaim(env: IdentityBindings, visitorId: string, userId: string): Promise<void> {
  await env.POSTBACKS.send({ kind: 'claim', visitor_id: visitorId, user_id: userId });
}
