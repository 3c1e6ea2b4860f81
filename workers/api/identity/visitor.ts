import type { Database } from '@hissaback/shared/db/client';
import { bindVisitor } from '@hissaback/shared/db/queries/identity';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { encodeVisitor, visitorFromCookies, visitorSetCookie } from '@hissaback/shared/domain/visitor';
import type { Context } from 'hono';
import { announceClaim } from './claim.ts';
import type { IdentityEnv } from './env.ts';

/**
 * Makes the browser's visitor the shopper's, if it is nobody else's, claims what waits for it, and gives the browser a new visitor of the shopper's
 * (money rule 8). Whatever fails here is logged and fails no login; the browser then keeps its cookie, so that the next login claims again.
 */
export async function adoptVisitor(c: Context<IdentityEnv>, userId: string): Promise<void> {
  try {
    const url = new URL(c.req.url);
    const ring = keyringFrom(c.env.VISITOR_KEYS, 'VISITOR_KEYS');
    const now = c.var.clock.now();
    const visitor = await visitorFromCookies(ring, c.req.header('cookie'), url.host, now);
    // Global Privacy Control: no cookie that follows anyone.
    const fresh = c.req.header('sec-gpc') === '1' ? null : mintUuid(c.var.random);
    const claimed = await bind(c.var.db, [visitor?.visitorId, fresh], userId, new Date(now));
    if (visitor !== null && claimed.has(visitor.visitorId)) await announceClaim(c.env, visitor.visitorId, userId);
    if (fresh === null) return;
    const cookie = visitorSetCookie(await encodeVisitor(ring, fresh, url.host), url.protocol === 'https:');
    c.header('set-cookie', cookie, { append: true });
  } catch (error) {
    c.var.log.error('visitor_not_adopted', { error });
  }
}

/** Binds what visitors there are; those that are the shopper's now. */
function bind(
  db: Database,
  visitorIds: readonly (string | null | undefined)[],
  userId: string,
  now: Date,
): Promise<ReadonlySet<string>> {
  return db.transaction(async (tx) => {
    const bound = new Set<string>();
    for (const visitorId of visitorIds) {
      if (visitorId && (await bindVisitor(tx, { visitorId, userId, now })) === userId) bound.add(visitorId);
    }
    return bound;
  });
}
