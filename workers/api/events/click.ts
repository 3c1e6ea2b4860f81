import type { ClickMessage } from '@hissaback/shared/contracts/click-message';
import { createdClick, newClick } from '@hissaback/shared/contracts/clicks';
import { type LinkToPublish, toPublishedLink } from '@hissaback/shared/contracts/publish';
import { visitorOfUser } from '@hissaback/shared/db/queries/clicks';
import { linksToPublish } from '@hissaback/shared/db/queries/links';
import { withTenant, withUser } from '@hissaback/shared/db/tenancy';
import type { Tx } from '@hissaback/shared/db/types';
import { mintClickId } from '@hissaback/shared/domain/click-id';
import { encodeClickReference } from '@hissaback/shared/domain/click-reference';
import { deviceOf } from '@hissaback/shared/domain/device';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { visitorFromCookies } from '@hissaback/shared/domain/visitor';
import { authenticate, type Principal } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { type Context, Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { jsonInput } from '../http/input.ts';
import { operation } from '../openapi/operation.ts';
import { countryOf, referrerHostOf } from './visit.ts';

/** `POST /v1/events/click {link_id, user_id?}` -> `{click_id}`, the click reference; the click is in the queue when the answer comes. */
export const clickEvent = new Hono<ApiContext>().post(
  '/v1/events/click',
  operation({
    id: 'createClick',
    summary: 'Make a click, and get its reference',
    answer: createdClick,
    errors: ['not_found', 'conflict', 'gone'],
  }),
  authenticate(['shopper', 'creator', 'widget']),
  jsonInput(newClick),
  async (c) => {
    const { principal, clock, random, db } = c.var;
    const input = c.req.valid('json');
    assertOwnUser(principal, input.id('user_id'));
    const now = clock.now();
    const named = input.id('link_id');
    const { link, userVisitor } = await inOwnScope(db, principal, async (tx) => {
      const found = named === undefined ? undefined : await reachableLink(tx, principal, named);
      const { user_id } = input.check();
      if (found === undefined) throw new ProblemError('not_found', { detail: 'No such link.' });
      assertFollowed(found, now);
      const visitor =
        user_id === undefined
          ? null
          : await visitorOfUser(tx, { user_id, new_visitor: mintUuid(random), at: new Date(now) });
      return { link: found, userVisitor: visitor };
    });
    const visitorId = userVisitor ?? (await cookieVisitor(c, now));
    const clickId = mintClickId(clock, random);
    const references = keyringFrom(c.env.REFERENCE_KEYS, 'REFERENCE_KEYS');
    const click_id = await encodeClickReference(references, { clickId, linkId: link.link_id, visitorId });
    const headers = c.req.raw.headers;
    const message: ClickMessage = {
      click_id: clickId.toString(),
      link_id: link.link_id,
      tenant_id: link.tenant_id,
      visitor_id: visitorId,
      country: countryOf(headers),
      device: deviceOf(headers.get('user-agent') ?? ''),
      referrer_host: referrerHostOf(headers),
      sub_id: null,
      source: principal.role === 'widget' ? 'widget' : 'api',
    };
    await enqueue(c, message);
    return c.json({ click_id });
  },
);

/** Money rule 9: a click may be made in one's own name only, and a widget has no name. */
function assertOwnUser(principal: Principal, user: string | undefined): void {
  if (user === undefined || (principal.role !== 'widget' && user === principal.sub)) return;
  throw new ProblemError('forbidden', { detail: "user_id must be the token's own subject." });
}

function inOwnScope<T>(
  db: ApiContext['Variables']['db'],
  principal: Principal,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  if (principal.role === 'widget' && principal.tenantId !== null) return withTenant(db, principal.tenantId, work);
  return withUser(db, principal.sub, work);
}

/** A shopper clicks any tenant's links; a token scoped to a tenant reaches that tenant's only, the others are not there for it. */
async function reachableLink(tx: Tx, principal: Principal, link_id: string): Promise<LinkToPublish> {
  const [link] = await linksToPublish(tx, { link_ids: [link_id] });
  if (link === undefined || (principal.tenantId !== null && link.tenant_id !== principal.tenantId)) {
    throw new ProblemError('not_found', { detail: 'No such link.' });
  }
  return link;
}

/** What a redirect would refuse is refused here. Throws ProblemError `conflict` (409) or `gone` (410). */
function assertFollowed(row: LinkToPublish, now: number): void {
  const link = toPublishedLink(row);
  if (link === null || link.s === 'paused') throw new ProblemError('conflict', { detail: 'The link is paused.' });
  if (link.x !== undefined && link.x <= now) throw new ProblemError('gone', { detail: 'The link has expired.' });
}

async function cookieVisitor(c: Context<ApiContext>, now: number): Promise<string | null> {
  if (c.req.header('sec-gpc')?.trim() === '1') return null;
  const ring = keyringFrom(c.env.VISITOR_KEYS, 'VISITOR_KEYS');
  const visitor = await visitorFromCookies(ring, c.req.header('cookie'), new URL(c.req.url).host, now);
  return visitor?.visitorId ?? null;
}

async function enqueue(c: Context<ApiContext>, message: ClickMessage): Promise<void> {
  try {
    await c.env.CLICKS.send(message);
  } catch (error) {
    c.var.log.error('click_not_queued', { link_id: message.link_id, error });
    throw new ProblemError('unavailable', { headers: { 'retry-after': '5' } });
  }
}
