import { randomUUID } from 'node:crypto';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { encodeVisitor, verifyVisitor } from '@hissaback/shared/domain/visitor';
import { verifyAccessToken } from '@hissaback/shared/http/access-token';
import { parseTokenKeys, type TokenKeys } from '@hissaback/shared/http/token-keys';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../../../tests/support/postgres.ts';
import { cookieSet, createStage, START, type Stage } from './stage.fake.ts';

let database: TestDatabase;
let jwtKeys: string;
let keys: TokenKeys;
let stage: Stage;
let phones = 0;

const freshPhone = (): string => `+9198765${String(phones++).padStart(5, '0')}`;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  jwtKeys = JSON.stringify([{ ...(await exportJWK(privateKey)), kid: 'k1' }]);
  keys = await parseTokenKeys(jwtKeys);
});
afterAll(() => database.drop());

async function openStage(settings: Parameters<typeof createStage>[2] = {}): Promise<void> {
  stage = await createStage(database.api, jwtKeys, settings);
  const { gateway } = stage;
  vi.stubGlobal('fetch', async (_url: string, init: { body: string }) => {
    gateway.sent.push(JSON.parse(init.body));
    return gateway.answer();
  });
}

beforeEach(() => openStage());
afterEach(async () => {
  vi.unstubAllGlobals();
  await stage.close();
});

const ask = (phone: string, headers?: Record<string, string>) =>
  stage.call('POST', '/v1/auth/otp/request', { phone }, headers);
const verify = (request_id: string, code: string, headers?: Record<string, string>) =>
  stage.call('POST', '/v1/auth/otp/verify', { request_id, code }, headers);
const sentCode = (): string => /\b\d{6}\b/.exec(stage.gateway.sent.at(-1)?.text ?? '')?.[0] ?? '';
const principalOf = (jwt: string) => verifyAccessToken(keys, jwt, stage.clock.now());

async function logIn(phone: string, headers?: Record<string, string>) {
  const asked = await ask(phone);
  expect(asked.status).toBe(200);
  const { request_id } = (await asked.json()) as { request_id: string };
  const response = await verify(request_id, sentCode(), headers);
  expect(response.status).toBe(200);
  const body = (await response.json()) as { jwt: string };
  expect(Object.keys(body)).toEqual(['jwt']);
  const principal = await principalOf(body.jwt);
  if (principal === null) throw new Error('the token does not verify');
  return { ...body, principal, response };
}

async function foundTenant(userId: string, at: string): Promise<string> {
  const tenantId = randomUUID();
  await onServer(database.owner, (client) =>
    client.query(`select found_tenant($1, 'Shop', $2, $3)`, [tenantId, userId, at]),
  );
  return tenantId;
}

describe('POST /v1/auth/otp/request', () => {
  test('sends one message with exactly one six-digit number, and answers with a request id that is not the phone', async () => {
    const phone = freshPhone();
    const response = await ask(phone);
    expect(response.status).toBe(200);
    const body = (await response.json()) as { request_id: string };
    expect(Object.keys(body)).toEqual(['request_id']);
    expect(body.request_id).toMatch(/^[\w-]{64}$/);
    expect(stage.gateway.sent).toHaveLength(1);
    expect(stage.gateway.sent[0]).toMatchObject({ mobile: phone.slice(1), kind: 'otp', template_id: 'template' });
    expect(stage.gateway.sent[0]?.text.match(/\d{6}/g)).toHaveLength(1);
    expect(stage.gateway.sent[0]?.text.match(/\d{4,}/g)).toHaveLength(1);
  });

  test('answers alike whether or not the phone is known', async () => {
    const phone = freshPhone();
    await logIn(phone);
    const shape = async (response: Response) => [response.status, Object.keys((await response.json()) as object)];
    expect(await shape(await ask(phone))).toEqual(await shape(await ask(freshPhone())));
  });

  test.each([
    ['not a phone', { phone: 'hello' }],
    ['a landline', { phone: '+912222222222' }],
    ['another country', { phone: '+14155550100' }],
    ['nothing', {}],
    ['a number', { phone: 919876543210 }],
    ['an unknown field', { phone: '+919876543210', admin: true }],
  ])('refuses %s by field', async (_, body) => {
    const response = await stage.call('POST', '/v1/auth/otp/request', body);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: 'invalid_field', errors: [{ field: expect.any(String) }] });
    expect(stage.gateway.sent).toEqual([]);
  });

  test('waits 60 seconds for the next code, and five an hour is the end', async () => {
    const phone = freshPhone();
    expect((await ask(phone)).status).toBe(200);
    const soon = await ask(phone);
    expect(soon.status).toBe(429);
    expect(soon.headers.get('retry-after')).toBe('60');
    for (let index = 0; index < 4; index++) {
      stage.clock.advance(60_000);
      expect((await ask(phone)).status).toBe(200);
    }
    stage.clock.advance(60_000);
    const sixth = await ask(phone);
    expect(sixth.status).toBe(429);
    expect(sixth.headers.get('retry-after')).toBe(String(3_600 - 300));
    expect(stage.gateway.sent).toHaveLength(5);
  });

  test('caps the requests of an address, an IPv6 subscriber as one', async () => {
    await openStage({ OTP_PER_ADDRESS_PER_HOUR: '2' });
    const from = (address: string) => ask(freshPhone(), { 'cf-connecting-ip': address });
    expect((await from('2001:db8::1')).status).toBe(200);
    expect((await from('2001:db8::2')).status).toBe(200);
    const third = await from('2001:db8::3');
    expect(third.status).toBe(429);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await from('2001:db8:0:1::1')).status).toBe(200);
    // The machine itself: there is no such client at the edge.
    for (let request = 0; request < 3; request++) expect((await from('127.0.0.1')).status).toBe(200);
  });

  test('caps the messages of all phones together, and locks nobody out by it', async () => {
    await openStage({ OTP_TOTAL_PER_HOUR: '1' });
    expect((await ask(freshPhone())).status).toBe(200);
    const phone = freshPhone();
    const refused = await ask(phone);
    expect(refused.status).toBe(503);
    expect(refused.headers.has('retry-after')).toBe(true);
    expect(stage.gateway.sent).toHaveLength(1);
    expect(stage.lines.join()).toContain('otp_total_limit_reached');
    stage.clock.advance(2 * 3_600_000);
    expect((await ask(phone)).status).toBe(200);
  });

  test.each([
    ['refuses', () => Response.json({ type: 'error', message: 'no' })],
    ['fails', () => new Response('', { status: 502 })],
  ])('is 503 when the gateway %s, and the phone may ask again at once', async (_, answer) => {
    const phone = freshPhone();
    stage.gateway.answer = answer;
    const failed = await ask(phone);
    expect(failed.status).toBe(503);
    expect(failed.headers.get('retry-after')).toBe('30');
    expect(await failed.json()).toMatchObject({ code: 'unavailable' });
    stage.gateway.answer = () => Response.json({ type: 'success', message: 'id' });
    await logIn(phone);
  });
});

describe('POST /v1/auth/otp/verify', () => {
  test('makes a user of a new phone and finds the same one again, without waiting for the cooldown', async () => {
    const phone = freshPhone();
    const first = await logIn(phone);
    expect(first.principal).toMatchObject({ role: 'shopper', tenantId: null });
    expect(first.principal.expiresAt).toBe(stage.clock.now() / 1000 + 86_400);
    expect((await logIn(phone)).principal.sub).toBe(first.principal.sub);
  });

  test('scopes the token to the latest membership', async () => {
    const phone = freshPhone();
    const { principal } = await logIn(phone);
    await foundTenant(principal.sub, '2026-01-01T00:00:00Z');
    const latest = await foundTenant(principal.sub, '2026-06-01T00:00:00Z');
    expect((await logIn(phone)).principal).toMatchObject({ sub: principal.sub, role: 'creator', tenantId: latest });
  });

  test("an operator's token is an operator's, member or not", async () => {
    const phone = freshPhone();
    const { principal } = await logIn(phone);
    await foundTenant(principal.sub, START);
    await onServer(database.owner, (client) =>
      client.query('insert into operators (user_id, created_at) values ($1, $2)', [principal.sub, START]),
    );
    expect((await logIn(phone)).principal).toMatchObject({ role: 'operator', tenantId: null });
  });

  test('says the same of a wrong, used or expired code and of a forged or malformed request id', async () => {
    const { request_id } = (await (await ask(freshPhone())).json()) as { request_id: string };
    const code = sentCode();
    const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
    const attempts: [string, string][] = [
      [request_id, wrong],
      [request_id, '12345'],
      [request_id, `${code} `],
      [`${'A'.repeat(22)}${request_id.slice(22)}`, code],
      [`${request_id.slice(0, 22)}${'A'.repeat(42)}`, code],
      ['', code],
      ['x', code],
    ];
    const answers: unknown[] = [];
    for (const [id, guess] of attempts) {
      const response = await verify(id, guess, { 'x-request-id': 'same' });
      answers.push([response.status, await response.json()]);
    }
    expect((await verify(request_id, code)).status).toBe(200);
    const used = await verify(request_id, code, { 'x-request-id': 'same' });
    answers.push([used.status, await used.json()]);
    const next = (await (await ask(freshPhone())).json()) as { request_id: string };
    stage.clock.advance(600_000);
    const expired = await verify(next.request_id, sentCode(), { 'x-request-id': 'same' });
    answers.push([expired.status, await expired.json()]);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toMatchObject([400, { code: 'otp_invalid' }]);
  });

  test('refuses the right code after five wrong ones', async () => {
    const { request_id } = (await (await ask(freshPhone())).json()) as { request_id: string };
    const code = sentCode();
    for (let index = 1; index <= 5; index++) {
      await verify(request_id, String((Number(code) + index) % 1_000_000).padStart(6, '0'));
    }
    expect((await verify(request_id, code)).status).toBe(400);
  });

  test('puts no phone, code or token into the log, nor the gateway key', async () => {
    const phone = freshPhone();
    stage.gateway.answer = () => Response.json({ type: 'error', message: phone });
    await ask(phone);
    stage.gateway.answer = () => Response.json({ type: 'success', message: 'id' });
    const { jwt } = await logIn(phone, { cookie: 'hb_v=junk' });
    const log = stage.lines.join('\n');
    for (const secret of [phone.slice(3), sentCode(), jwt, 'auth-key']) expect(log).not.toContain(secret);
  });
});

describe('the visitor at login (money rule 8)', () => {
  const HOST = 'hissaback.test';
  const ring = () => keyringFrom(stage.env.VISITOR_KEYS, 'VISITOR_KEYS');
  const cookieOf = async (visitorId: string, host = HOST) => `hb_v=${await encodeVisitor(ring(), visitorId, host)}`;

  async function visitorSet(response: Response): Promise<string | null> {
    const value = cookieSet(response, 'hb_v');
    return value === null ? null : ((await verifyVisitor(ring(), value, HOST, stage.clock.now()))?.visitorId ?? null);
  }
  const ownerOf = (visitorId: string | null) =>
    onServer(database.owner, async (client) => {
      const { rows } = await client.query('select user_id from visitors where visitor_id = $1', [visitorId]);
      return rows[0]?.user_id as string | undefined;
    });

  test("becomes the shopper's, is claimed, and makes way for a new one of the shopper's", async () => {
    const visitorId = randomUUID();
    const { principal, response } = await logIn(freshPhone(), { cookie: await cookieOf(visitorId) });
    expect(stage.claims).toEqual([{ kind: 'claim', visitor_id: visitorId, user_id: principal.sub }]);
    expect(await ownerOf(visitorId)).toBe(principal.sub);
    const next = await visitorSet(response);
    expect(next).not.toBe(visitorId);
    expect(await ownerOf(next)).toBe(principal.sub);
    expect(response.headers.get('set-cookie')).toContain('HttpOnly; SameSite=Lax; Secure');
  });

  test('is bound to one user at most: a second shopper claims nothing and leaves with another visitor', async () => {
    const visitorId = randomUUID();
    const cookie = await cookieOf(visitorId);
    const first = await logIn(freshPhone(), { cookie });
    const second = await logIn(freshPhone(), { cookie });
    expect(stage.claims).toHaveLength(1);
    expect(await ownerOf(visitorId)).toBe(first.principal.sub);
    expect(await visitorSet(second.response)).not.toBe(visitorId);
  });

  test('of another host, or forged, is not claimed', async () => {
    const elsewhere = await cookieOf(randomUUID(), 'shop.example');
    await logIn(freshPhone(), { cookie: elsewhere });
    await logIn(freshPhone(), { cookie: `hb_v=${'A'.repeat(44)}` });
    expect(stage.claims).toEqual([]);
  });

  test('is not replaced under Global Privacy Control', async () => {
    const { response } = await logIn(freshPhone(), { 'sec-gpc': '1' });
    expect(cookieSet(response, 'hb_v')).toBeNull();
  });

  test('stays with the browser when the claim cannot be told, so that the next login tells it', async () => {
    const phone = freshPhone();
    const visitorId = randomUUID();
    const cookie = await cookieOf(visitorId);
    const { send } = stage.env.POSTBACKS;
    stage.env.POSTBACKS.send = () => Promise.reject(new Error('queue is down'));
    const first = await logIn(phone, { cookie });
    expect(cookieSet(first.response, 'hb_v')).toBeNull();
    expect(stage.lines.join()).toContain('visitor_not_adopted');
    stage.env.POSTBACKS.send = send;
    await logIn(phone, { cookie });
    expect(stage.claims).toEqual([{ kind: 'claim', visitor_id: visitorId, user_id: first.principal.sub }]);
  });
});

describe('POST /v1/auth/switch', () => {
  const change = (jwt: string, tenant_id: unknown) =>
    stage.call('POST', '/v1/auth/switch', { tenant_id }, { authorization: `Bearer ${jwt}` });

  test('gives a token for another of the own tenants, or for none, and prolongs nothing', async () => {
    const phone = freshPhone();
    const { principal } = await logIn(phone);
    const older = await foundTenant(principal.sub, '2026-01-01T00:00:00Z');
    await foundTenant(principal.sub, '2026-06-01T00:00:00Z');
    const login = await logIn(phone);
    stage.clock.advance(3_600_000);
    const response = await change(login.jwt, older.toUpperCase());
    expect(response.status).toBe(200);
    const switched = await principalOf(((await response.json()) as { jwt: string }).jwt);
    expect(switched).toMatchObject({ sub: principal.sub, role: 'creator', tenantId: older });
    expect(switched?.expiresAt).toBe(login.principal.expiresAt);
    const none = (await (await change(login.jwt, null)).json()) as { jwt: string };
    expect(await principalOf(none.jwt)).toMatchObject({ role: 'shopper', tenantId: null });
  });

  test('asks the table, not the token: who was removed is refused (money rule 24)', async () => {
    const phone = freshPhone();
    const { principal } = await logIn(phone);
    const tenantId = await foundTenant(principal.sub, START);
    const { jwt } = await logIn(phone);
    await onServer(database.owner, (client) =>
      client.query('delete from tenant_members where tenant_id = $1', [tenantId]),
    );
    expect((await change(jwt, tenantId)).status).toBe(403);
  });

  test("refuses a stranger's tenant, a missing token, and what is no id", async () => {
    const { jwt } = await logIn(freshPhone());
    const owner = await logIn(freshPhone());
    const tenantId = await foundTenant(owner.principal.sub, START);
    expect((await change(jwt, tenantId)).status).toBe(403);
    expect((await change(jwt, randomUUID())).status).toBe(403);
    expect((await change(jwt, 'x')).status).toBe(422);
    expect((await stage.call('POST', '/v1/auth/switch', {})).status).toBe(401);
  });
});

test('GET /.well-known/jwks.json shows the public keys and nothing else', async () => {
  const response = await stage.call('GET', '/.well-known/jwks.json');
  expect(response.status).toBe(200);
  expect(response.headers.get('cache-control')).toContain('public');
  const { keys: shown } = (await response.json()) as { keys: Record<string, string>[] };
  expect(shown).toHaveLength(1);
  expect(Object.keys(shown[0] ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
});

test.each(
  ['otp/request', 'otp/verify', 'switch', 'proof', 'refresh', 'logout', 'logout-all'].map((name) => `/v1/auth/${name}`),
)('%s is POST only', async (path) => {
  const response = await stage.call('GET', path);
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('POST');
});
