import { scopeOf } from '@hissaback/shared/domain/api-key';
import { systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import type { Grant } from '@hissaback/shared/http/access-token';
import { signProofToken } from '@hissaback/shared/http/proof-token';
import { type Route, routesOf } from '@hissaback/shared/http/routes';
import { ACCESS_TOKEN_TYPE, AUDIENCE, ISSUER, ROLES, type Role } from '@hissaback/shared/http/token-claims';
import { parseTokenKeys } from '@hissaback/shared/http/token-keys';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../tests/support/two-tenants.ts';
import { createApp } from './app.ts';
import { type Answer, type CallOptions, type Stage, stage } from './stage.fake.ts';

/** What needs no Bearer token, and why. Every other route must name its roles. */
const PUBLIC = new Map([
  ['GET /', 'the landing page'],
  ['GET /robots.txt', 'for crawlers'],
  ['GET /healthz', 'says nothing but that the worker runs'],
  ['GET /.well-known/jwks.json', 'public keys'],
  ['GET /v1/openapi.json', 'the description of the API'],
  ['GET /docs', 'its reference page'],
  ['GET /assets/:tenant_id/:name', 'logos, which stand in public pages'],
  ['POST /v1/auth/otp/request', 'how a login begins; limited by phone, address and total'],
  ['POST /v1/auth/otp/verify', 'the code is the proof; five checks'],
  ['POST /v1/auth/proof', 'the proof token is; five tries a day'],
  ['POST /v1/auth/refresh', 'the refresh cookie is, from the same origin only'],
  ['POST /v1/auth/logout', 'the refresh cookie is, from the same origin only, or a Bearer token'],
]);

/** Bodies that every check but the one for whose they are would let pass. What is in no list here is asked with an empty object. */
const BODIES: Record<string, (ids: Ids) => unknown> = {
  'POST /v1/auth/switch': ({ tenant_id }) => ({ tenant_id }),
  'PATCH /v1/tenants/:tenant_id': () => ({ name: 'Taken over' }),
  'POST /v1/tenants/:tenant_id/invitations': () => ({ phone: '+919812345678', role: 'owner' }),
  'POST /v1/campaigns': ({ tenant_id }) => ({ tenant_id, name: 'Taken over', share_pct: 50 }),
  'PATCH /v1/campaigns/:campaign_id': () => ({ status: 'paused' }),
  'POST /v1/links': ({ campaign_id, offer_id }) => ({ campaign_id, offer_id: Number(offer_id) }),
  'POST /v1/links/bulk': ({ tenant_id, campaign_id, offer_id }) => ({
    tenant_id,
    links: [{ campaign_id, offer_id: Number(offer_id) }],
  }),
  'PATCH /v1/links/:link_id': () => ({ status: 'paused' }),
  'POST /v1/widgets': ({ campaign_id }) => ({ campaign_id }),
  'PATCH /v1/widgets/:widget_id': () => ({ config: { title: 'Taken over' } }),
  'POST /v1/domains': ({ tenant_id }) => ({ tenant_id, domain: 'taken-over.example' }),
  'POST /v1/webhooks': ({ tenant_id }) => ({ tenant_id, url: 'https://taken-over.example/' }),
  'PATCH /v1/webhooks/:endpoint_id': () => ({ url: 'https://taken-over.example/' }),
  'POST /v1/missing-cashback/:claim_id/decide': () => ({ decision: 'reject', reason: 'Taken over' }),
  'POST /v1/unmatched/:unmatched_id/dismiss': () => ({ reason: 'Taken over' }),
  'POST /v1/unmatched/:unmatched_id/assign': ({ link_id }) => ({ link_id, reason: 'Taken over' }),
  'POST /v1/events/click': ({ link_id, user_id }) => ({ link_id, user_id }),
};
/** POSTs and PATCHes of no path that name nobody: they are about the token's own subject or tenant. Whoever may use them may do so. */
const OF_ONESELF = new Set([
  'POST /v1/tenants',
  'PATCH /v1/me',
  'POST /v1/me/kyc',
  'DELETE /v1/me',
  'POST /v1/api-keys',
  'POST /v1/assets',
  'POST /v1/missing-cashback',
]);

type Ids = Record<string, string>;
const MARK = 'Marked as of tenant A';
const STRANGER = '7b0c2a8e-3f10-4a3a-9b57-0d4a5be3c001';

const routes = routesOf(createApp({ clock: systemClock, random: systemRandom, write: () => undefined }));
const nameOf = ({ method, path }: Route): string => `${method} ${path}`;
const guarded = routes.filter(({ facts }) => facts.roles !== undefined);
const cases = guarded.map((route): [string, Route, readonly Role[]] => [nameOf(route), route, route.facts.roles ?? []]);

let on: Stage;
let victim: Ids;
let badTokens: [what: string, token: string][];

beforeAll(async () => {
  on = await stage();
  Object.assign(on.env, standIns());
  victim = await tenantA();
  badTokens = await unacceptable();
}, 120_000);
afterAll(() => on.close());

/** Other workers and objects that some routes ask: they know whose a payout is, and count nothing. */
function standIns() {
  const voucher = async ({ payoutId, userId }: { payoutId: string; userId: string }) => {
    const owned = await on.sql('select from payouts where payout_id = $1 and user_id = $2', [payoutId, userId]);
    return owned.length === 1
      ? { ok: true, amount: '40.00', currency: 'INR', claimCode: MARK }
      : { ok: false, reason: 'not_found' };
  };
  const take = async () => ({ allowed: true, remaining: 1, resetMs: 0 });
  return { PAYOUTS: { voucher }, LIMIT: { idFromName: (name: string) => name, get: () => ({ take }) } };
}

/** Something of every kind that a path can name, all of tenant A and its owner. */
async function tenantA(): Promise<Ids> {
  const { tenant_id, user_id } = await on.tenant({ trackier_pid: 'pid-of-a' });
  const session_id = on.uuid();
  await on.sessions.calls(session_id).start(session_id, user_id, on.clock.now());
  await on.sql(
    `insert into sessions (session_id, user_id, device, created_at, last_used_at) values ($1, $2, 'x', now(), now())`,
    [session_id, user_id],
  );
  await on.sql('update tenants set name = $2 where tenant_id = $1', [tenant_id, MARK]);
  await on.sql('update users set name = $2 where user_id = $1', [user_id, MARK]);
  const token = await on.token({ sub: user_id, role: 'creator', tenantId: tenant_id });
  const make = async (path: string, json: unknown): Promise<Ids> => {
    const made = await on.call('POST', path, { token, json });
    expect(made.status, `${path}: ${made.text}`).toBeLessThan(300);
    return made.json;
  };
  const offer_id = String(await on.offer());
  const { campaign_id = '' } = await make('/v1/campaigns', { tenant_id, name: MARK, share_pct: 50 });
  const { link_id = '' } = await make('/v1/links', { campaign_id, offer_id: Number(offer_id) });
  const amounts = { user_amount: '40.00', creator_amount: '40.00', status: 'pending' };
  const conv_id = await on.reward({ tenant_id, link_id, user_id, at: new Date(on.clock.now()), ...amounts });
  const { invitation_id = '' } = await make(`/v1/tenants/${tenant_id}/invitations`, { phone: '+919898989898' });
  const { key_id = '' } = await make('/v1/api-keys', { name: MARK, scopes: ['offers:read'] });
  const { widget_id = '' } = await make('/v1/widgets', { campaign_id, config: { title: MARK } });
  const { token_id = '' } = await make(`/v1/widgets/${widget_id}/tokens`, {});
  const image = Uint8Array.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR of A', (letter) => letter.charCodeAt(0));
  const asset = await on.call('POST', '/v1/assets', { token, body: image, headers: { 'content-type': 'image/png' } });
  const { name: asset_name } = asset.json;
  const { domain_id = '' } = await make('/v1/domains', { domain: 'shop-of-a.example' });
  const { endpoint_id = '' } = await make('/v1/webhooks', { url: 'https://hooks-of-a.example/', description: MARK });
  const claim_id = on.uuid();
  await on.sql(
    `insert into missing_cashback_claims (claim_id, user_id, merchant, brand, purchased_on, order_id, amount, created_at)
     values ($1, $2, 'nila', $3, now(), 'order-of-a', 10, now())`,
    [claim_id, user_id, MARK],
  );
  const unmatched_id = String(newId());
  await on.sql(
    `insert into unmatched_conversions (unmatched_id, tenant_id, reason, raw, source, received_at) values ($1, $2, 'unknown_click', '{}', 'postback', now())`,
    [unmatched_id, tenant_id],
  );
  const notice_id = String(newId());
  await on.sql(
    `insert into notices (notice_id, tenant_id, kind, offer_id, created_at) values ($1, $2, 'offer_gone', $3, now())`,
    [notice_id, tenant_id, offer_id],
  );
  const payout_id = on.uuid();
  await on.sql(
    `insert into payouts (payout_id, tenant_id, side, payee, user_id, currency, amount, status, creation_request_id, agcod_endpoint, agcod_region,
       partner_id, next_attempt_at, created_at, status_at)
     values ($1, $2, 'shopper', $3, $3, 'INR', 40, 'queued', $4, 'https://agcod.example', 'eu-west-1', 'Test1', now(), now(), now())`,
    [payout_id, tenant_id, user_id, payout_id.replaceAll('-', '')],
  );
  return {
    ...{ claim_id, unmatched_id, notice_id, payout_id, asset_name },
    ...{ tenant_id, user_id, session_id, offer_id, campaign_id, link_id, conv_id, invitation_id, key_id },
    ...{ widget_id, token_id, domain_id, endpoint_id, delivery_id: on.uuid() },
  };
}

/** Tokens that must open nothing, however well they look. */
async function unacceptable(): Promise<[string, string][]> {
  const keys = await parseTokenKeys(on.env.JWT_KEYS);
  const [own] = JSON.parse(on.env.JWT_KEYS) as JWK[];
  const [shown] = keys.jwks.keys;
  if (own === undefined || shown === undefined) throw new Error('the stage has no key');
  const signing = await importJWK(own, 'ES256');
  const foreign = await generateKeyPair('ES256', { extractable: true });
  const now = Math.floor(on.clock.now() / 1000);
  const { tenant_id, user_id, session_id } = victim;
  const header = { alg: 'ES256', typ: ACCESS_TOKEN_TYPE, kid: keys.signing.kid };
  const claims = {
    ...{ iss: ISSUER, aud: AUDIENCE, sub: user_id, role: 'creator', tenant_id, sid: session_id, jti: on.uuid() },
    ...{ iat: now - 60, exp: now + 3_600 },
  };
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const sign = (head: object, body: object, key: CryptoKey | Uint8Array = signing): Promise<string> =>
    new SignJWT({ ...body }).setProtectedHeader(head as { alg: string }).sign(key);
  const [, payload = '', signature = ''] = (await sign(header, claims)).split('.');
  const publicKey = await importJWK(shown, 'ES256', { extractable: true });
  const pem = new TextEncoder().encode(await exportSPKI(publicKey as CryptoKey));
  const hmac = { ...header, alg: 'HS256' };
  const revoked = on.uuid();
  const personal = { sub: user_id ?? '', role: 'creator', tenantId: tenant_id ?? '', sessionId: revoked } as const;
  await on.sessions.calls(revoked).start(revoked, personal.sub, on.clock.now());
  await on.sessions.calls(revoked).revoke(on.clock.now());
  const used = await on.sessions.calls(revoked).start(on.uuid(), personal.sub, on.clock.now());
  await on.sessions.calls(revoked).revoke(on.clock.now());
  // Each is judged before its role is: the role in it would be let in by most routes.
  return [
    ['an expired token', await sign(header, { ...claims, exp: now - 1 })],
    ['a token of tomorrow', await sign(header, { ...claims, nbf: now + 3_600 })],
    ['a tampered token', `${encode(header)}.${encode({ ...claims, role: 'operator' })}.${signature}`],
    ['a cut signature', `${encode(header)}.${payload}.${signature.slice(0, -4)}`],
    ['alg none', `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`],
    ['alg none with a signature', `${encode({ ...header, alg: 'none' })}.${payload}.${signature}`],
    ['HS256 with the public JWK', await sign(hmac, claims, new TextEncoder().encode(JSON.stringify(shown)))],
    ['HS256 with the public PEM', await sign(hmac, claims, pem)],
    ['a foreign kid', await sign({ ...header, kid: 'foreign' }, claims, foreign.privateKey)],
    ['a foreign key under our kid', await sign(header, claims, foreign.privateKey)],
    [
      'a key of its own',
      await sign({ ...header, jwk: await exportJWK(foreign.publicKey) }, claims, foreign.privateKey),
    ],
    ['a jku', await sign({ ...header, jku: 'https://evil.example/jwks.json' }, claims)],
    ['another audience', await sign(header, { ...claims, aud: 'someone-else' })],
    ['another issuer', await sign(header, { ...claims, iss: 'someone-else' })],
    ['another type of token', await sign({ ...header, typ: 'JWT' }, claims)],
    ['a token without a session', await sign(header, { ...claims, sid: undefined })],
    ['an unknown role', await sign(header, { ...claims, role: 'admin' })],
    ['a proof token', await signProofToken(keys, personal.sub, on.clock, systemRandom)],
    ['a refresh token', used],
    ['an invented API key', `hbk_${'A'.repeat(64)}`],
    ['nonsense', 'nonsense'],
  ];
}

function pathOf(route: Route, ids: Ids): string {
  return route.path.replace(/:(\w+)/g, (_, name: string) => {
    // Operators see all tenants alike: what only they can name needs no owner here.
    const isOfTenants = route.facts.roles?.some((role) => role !== 'operator' && role !== 'cron') === true;
    const id = ids[name] ?? (isOfTenants ? undefined : STRANGER);
    if (id === undefined) throw new Error(`${nameOf(route)}: tenantA() must have a ${name}`);
    return id;
  });
}

function ask(route: Route, ids: Ids, options: CallOptions): Promise<Answer> {
  const hasBody = route.method !== 'GET' && route.method !== 'DELETE';
  const named = new URLSearchParams({ tenant_id: ids.tenant_id ?? '', user_id: ids.user_id ?? '' });
  const query = route.method === 'GET' ? `?${named}` : '';
  const body = hasBody ? { json: BODIES[nameOf(route)]?.(ids) ?? {} } : {};
  return on.call(route.method, pathOf(route, ids) + query, { ...body, ...options });
}

const scopedTo = (role: Role, sub: string, tenantId: string): Grant => ({
  ...{ sub: role === 'cron' ? 'cron' : sub, role },
  ...((role === 'creator' || role === 'widget') && { tenantId }),
});

test('every route is behind roles or public for a reason that is written down', () => {
  const open = routes.filter(({ facts }) => facts.roles === undefined).map(nameOf);
  expect(open.sort()).toEqual([...PUBLIC.keys()].sort());
  for (const [name, , roles] of cases) expect(roles.length, name).toBeGreaterThan(0);
});

test('the lists of this file name routes that there are', () => {
  const names = new Set(routes.map(nameOf));
  for (const name of [...Object.keys(BODIES), ...OF_ONESELF]) expect(names, name).toContain(name);
});

test('the cron-only route takes no other token, and no other route takes a cron’s', () => {
  const ofCron = guarded.filter(({ facts }) => facts.roles?.includes('cron'));
  expect(ofCron.map((route) => [nameOf(route), route.facts.roles])).toEqual([
    ['POST /v1/rewards/payout/run', ['cron']],
  ]);
});

describe.each(cases)('%s', (name, route, roles) => {
  test('without a token is 401, whatever else is wrong', async () => {
    const withBody = route.method === 'GET' || route.method === 'DELETE' ? {} : { body: '{not json' };
    for (const headers of [
      {},
      { authorization: '' },
      { authorization: `Basic ${STRANGER}` },
      { authorization: 'Bearer' },
    ]) {
      const answer = await on.call(route.method, pathOf(route, victim), { headers, ...withBody });
      expect(answer).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="hissaback"/);
      expect(answer.json.request_id).toBe(answer.headers.get('x-request-id'));
    }
  });

  test('with a token that is not good is 401', async () => {
    for (const [what, token] of badTokens) {
      const answer = await ask(route, victim, { token });
      expect(answer, what).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
      expect(answer.headers.get('www-authenticate'), what).toContain('error="invalid_token"');
    }
  });

  test('with a revoked token of a right role is 401', async () => {
    for (const role of roles.filter((one) => one !== 'cron')) {
      // No session began under this id, and no widget's token was written down under it: revoked or never issued is one.
      const revoked = role === 'widget' ? { jti: on.uuid() } : { sessionId: on.uuid() };
      const token = await on.token({ ...scopedTo(role, STRANGER, STRANGER), ...revoked });
      expect(await ask(route, victim, { token }), role).toMatchObject({
        status: 401,
        json: { code: 'unauthenticated' },
      });
    }
  });

  test.each(ROLES.filter((role) => !roles.includes(role)))('with a token of the role %s is 403', async (role) => {
    const token = await on.token(scopedTo(role, victim.user_id ?? '', victim.tenant_id ?? ''));
    expect(await ask(route, victim, { token })).toMatchObject({ status: 403, json: { code: 'forbidden' } });
  });

  test('with an API key is 403 unless the key has the route’s scope', async () => {
    const { token } = await on.tenant();
    const needed = route.facts.scope === undefined ? scopeOf(route.method, route.path) : route.facts.scope;
    const scopes = ['offers:read', 'links:read'].filter((scope) => scope !== needed).slice(0, 1);
    const made = await on.call('POST', '/v1/api-keys', { token, json: { name: 'Another scope', scopes } });
    const answer = await ask(route, victim, { token: made.json.key });
    expect(answer).toMatchObject({ status: 403, json: { code: 'forbidden' } });
  });

  const strangers = roles.filter((role) => role === 'creator' || role === 'widget' || role === 'shopper');
  test.each(strangers)(
    'with the token of a stranger (%s) neither shows nor changes anything of tenant A',
    async (role) => {
      const other = await on.tenant();
      const sub = role === 'widget' ? on.uuid() : other.user_id;
      const token = await on.token(scopedTo(role, sub, other.tenant_id));
      const before = await everythingOfA();
      const answer = await ask(route, victim, { token });
      if (route.path.includes(':')) expect([403, 404], answer.text).toContain(answer.status);
      // A shopper may click anybody's link, but for nobody else: the body names A's owner.
      else if (BODIES[name] !== undefined) expect([403, 404], answer.text).toContain(answer.status);
      else if (route.method !== 'GET' && answer.status < 300)
        expect(OF_ONESELF.has(name) || isOfSession(route), name).toBe(true);
      expect(leaks(answer.text, route)).toEqual([]);
      expect(await everythingOfA()).toEqual(before);
      // The same without naming A: what is answered is one's own.
      if (route.path.includes(':') || route.method !== 'GET') return;
      const own = await on.call('GET', route.path, { token: await on.token(scopedTo(role, sub, other.tenant_id)) });
      expect(leaks(own.text, route)).toEqual([]);
    },
  );

  if (roles.includes('creator') && !roles.includes('shopper')) {
    test('with the token of a member who was removed is 403, for reading too (money rule 24)', async () => {
      const former = await on.tenant();
      await on.sql('delete from tenant_members where user_id = $1', [former.user_id]);
      const answer = await ask(route, { ...victim, ...former }, { token: former.token });
      expect(answer).toMatchObject({ status: 403, json: { code: 'forbidden' } });
    });
  }

  if (!roles.includes('operator') || !route.path.includes(':')) return;
  test('with a token that says operator, of somebody who is none, neither shows nor changes anything', async () => {
    const { user_id } = await on.user();
    const before = await everythingOfA();
    const answer = await ask(route, victim, { token: await on.token({ sub: user_id, role: 'operator' }) });
    expect([403, 404], answer.text).toContain(answer.status);
    expect(leaks(answer.text, route)).toEqual([]);
    expect(await everythingOfA()).toEqual(before);
  });
});

const isOfSession = (route: Route): boolean => route.path.startsWith('/v1/auth/');

/** What an answer says of A. Offers are everybody's, and a refusal may repeat nothing either. */
function leaks(text: string, route: Route): string[] {
  const { offer_id: _, ...own } = victim;
  const told = [...Object.values(own), MARK, 'pid-of-a', 'shop-of-a', 'hooks-of-a'];
  return told.filter((id) => text.includes(id)).map((id) => `${nameOf(route)} shows ${id}`);
}

/** A digest per table of all rows of tenant A and of its owner, whatever tables there are. */
async function everythingOfA(): Promise<Record<string, string | null>> {
  const tables = await on.sql<{ name: string; by: string }>(
    `select c.relname as name, a.attname as by from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname in ('tenant_id', 'user_id')
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1, 2`,
  );
  const digests = tables.map(
    ({ name, by }) =>
      `select '${name}.${by}' as name, md5(string_agg(t::text, ',' order by t::text)) as digest from ${name} t where ${by} = '${victim[by]}'`,
  );
  const rows = await on.sql<{ name: string; digest: string | null }>(digests.join(' union all '));
  return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
}
