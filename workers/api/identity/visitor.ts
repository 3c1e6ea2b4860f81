import type { Database } from '@hissaback/shared/db/client';
import { bindVisitor } from '@hissaback/shared/db/queries/identity';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { encodeVisitor, VISITOR_COOKIE, visitorFromCookies, visitorSetCookie } from '@hissaback/shared/domain/visitor';
import type { HttpVariables } from '@hissaback/shared/http/context';
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

type VisitorEnv = { Bindings: { VISITOR_KEYS: string }; Variables: HttpVariables };

/** Gives the browser a visitor of nobody's at logout (money rule 8); under Global Privacy Control none at all. */
export async function forgetVisitor<E extends VisitorEnv>(c: Context<E>): Promise<void> {
  const url = new URL(c.req.url);
  const isSecure = url.protocol === 'https:';
  if (c.req.header('sec-gpc') === '1') {
    c.header('set-cookie', visitorClearCookie(isSecure), { append: true });
    return;
  }
  const ring = keyringFrom(c.env.VISITOR_KEYS, 'VISITOR_KEYS');
  const value = await encodeVisitor(ring, mintUuid(c.var.random), url.host);
  c.header('set-cookie', visitorSetCookie(value, isSecure), { append: true });
}

function visitorClearCookie(isSecure: boolean): string {
  return `${VISITOR_COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
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
