import { randomUUID } from 'node:crypto';
import { verifyAccessToken } from '@hissaback/shared/http/access-token';
import { parseTokenKeys, type TokenKeys } from '@hissaback/shared/http/token-keys';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../../../tests/support/postgres.ts';
import { REFRESH_COOKIE } from './refresh-cookie.ts';
import { cookieSet, createStage, type Stage } from './stage.fake.ts';

let database: TestDatabase;
let jwtKeys: string;
let keys: TokenKeys;
let stage: Stage;
let phones = 0;

const freshPhone = (): string => `+9187654${String(phones++).padStart(5, '0')}`;
const OWN = { origin: 'https://hissaback.test' };
const SECOND = 1000;
const DAY = 86_400_000;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  jwtKeys = JSON.stringify([{ ...(await exportJWK(privateKey)), kid: 'k1' }]);
  keys = await parseTokenKeys(jwtKeys);
});
afterAll(() => database.drop());
beforeEach(async () => {
  stage = await createStage(database.api, jwtKeys);
});
afterEach(() => stage.close());

const post = (path: string, headers: Record<string, string> = {}) =>
  stage.call('POST', `/v1/auth/${path}`, undefined, headers);
const refresh = (token: string, headers: Record<string, string> = OWN) =>
  post('refresh', { cookie: `${REFRESH_COOKIE}=${token}`, ...headers });
const bearer = (jwt: string) => ({ authorization: `Bearer ${jwt}` });
const sessionsOf = (jwt: string) => stage.call('GET', '/v1/auth/sessions', undefined, bearer(jwt));
const principalOf = (jwt: string) => verifyAccessToken(keys, jwt, stage.clock.now());
const sql = (text: string, params: unknown[] = []) =>
  onServer(database.owner, async (client) => (await client.query(text, params)).rows);

async function refreshed(token: string) {
  const response = await refresh(token);
  expect(response.status).toBe(200);
  const { jwt } = (await response.json()) as { jwt: string };
  return { jwt, refresh: cookieSet(response, REFRESH_COOKIE) ?? '' };
}

describe('POST /v1/auth/refresh', () => {
  test('gives a new access token and rotates the cookie, which only this origin reads and no script', async () => {
    const login = await stage.logIn(freshPhone());
    stage.clock.advance(DAY);
    const response = await refresh(login.refresh);
    expect(response.status).toBe(200);
    const body = (await response.json()) as { jwt: string };
    expect(Object.keys(body)).toEqual(['jwt']);
    expect((await principalOf(body.jwt))?.expiresAt).toBe(stage.clock.now() / 1000 + 86_400);
    const cookie = response.headers.getSetCookie().find((one) => one.startsWith(REFRESH_COOKIE));
    expect(cookie).toMatch(
      /^__Host-hb_refresh=[\w-]{70}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    expect(cookieSet(response, REFRESH_COOKIE)).not.toBe(login.refresh);
  });

  test('answers concurrent tabs with one successor, and goes on from there', async () => {
    const login = await stage.logIn(freshPhone());
    const answers = await Promise.all([refreshed(login.refresh), refreshed(login.refresh), refreshed(login.refresh)]);
    expect(new Set(answers.map((answer) => answer.refresh)).size).toBe(1);
    await refreshed(answers[0].refresh);
  });

  test('a used token that comes back ends the session for thief and owner alike, access tokens too', async () => {
    const login = await stage.logIn(freshPhone());
    const thief = await refreshed(login.refresh);
    stage.clock.advance(11 * SECOND);
    const owner = await refresh(login.refresh);
    expect(owner.status).toBe(401);
    expect(await owner.json()).toMatchObject({ code: 'unauthenticated' });
    expect(cookieSet(owner, REFRESH_COOKIE)).toBe('');
    expect((await refresh(thief.refresh)).status).toBe(401);
    for (const jwt of [login.jwt, thief.jwt]) expect((await sessionsOf(jwt)).status).toBe(401);
    expect(stage.lines.join()).toContain('refresh_token_reused');
    const session = (await principalOf(login.jwt))?.sessionId;
    expect(await sql('select revoked_at from sessions where session_id = $1', [session])).toEqual([
      { revoked_at: new Date(stage.clock.now()) },
    ]);
  });

  test.each<[string, Record<string, string>]>([
    ['nothing that a foreign page could not send', {}],
    ['another origin', { origin: 'https://evil.test' }],
    ['another origin and a header', { origin: 'https://evil.test', 'x-requested-with': 'x' }],
  ])('is refused with %s, and uses nothing up', async (_, headers) => {
    const login = await stage.logIn(freshPhone());
    const response = await refresh(login.refresh, headers);
    expect(response.status).toBe(403);
    stage.clock.advance(DAY);
    await refreshed(login.refresh);
  });

  test('takes a custom header instead of an origin', async () => {
    const login = await stage.logIn(freshPhone());
    expect((await refresh(login.refresh, { 'x-requested-with': 'curl' })).status).toBe(200);
  });

  test.each(['', 'junk', 'A'.repeat(70)])(
    'says the same of a missing, malformed or forged cookie: %o',
    async (token) => {
      const response = await (token === '' ? post('refresh', OWN) : refresh(token));
      expect(response.status).toBe(401);
      expect(cookieSet(response, REFRESH_COOKIE)).toBe('');
    },
  );

  test('a forged token of a real session ends nothing', async () => {
    const login = await stage.logIn(freshPhone());
    const forged = `${login.refresh.slice(0, -8)}AAAAAAAA`;
    expect((await refresh(forged)).status).toBe(401);
    await refreshed(login.refresh);
  });

  test('is over after 30 days unused', async () => {
    const login = await stage.logIn(freshPhone());
    stage.clock.advance(29 * DAY);
    const next = await refreshed(login.refresh);
    stage.clock.advance(30 * DAY);
    expect((await refresh(next.refresh)).status).toBe(401);
  });

  test('keeps the tenant that was chosen, while its user belongs to it (money rule 24)', async () => {
    const login = await stage.logIn(freshPhone());
    const sub = (await principalOf(login.jwt))?.sub ?? '';
    const [older, latest] = [randomUUID(), randomUUID()];
    await sql(`select found_tenant($1, 'Older', $2, '2026-01-01')`, [older, sub]);
    await sql(`select found_tenant($1, 'Latest', $2, '2026-06-01')`, [latest, sub]);
    await stage.call('POST', '/v1/auth/switch', { tenant_id: older }, bearer(login.jwt));
    const next = await refreshed(login.refresh);
    expect(await principalOf(next.jwt)).toMatchObject({ role: 'creator', tenantId: older });
    await sql('delete from tenant_members where tenant_id = $1', [older]);
    expect(await principalOf((await refreshed(next.refresh)).jwt)).toMatchObject({ role: 'shopper', tenantId: null });
  });

  test('asks the table whether an operator still is one', async () => {
    const phone = freshPhone();
    const { jwt } = await stage.logIn(phone);
    const sub = (await principalOf(jwt))?.sub;
    await sql('insert into operators (user_id, created_at) values ($1, now())', [sub]);
    const login = await stage.logIn(phone);
    expect(await principalOf(login.jwt)).toMatchObject({ role: 'operator' });
    const next = await refreshed(login.refresh);
    expect(await principalOf(next.jwt)).toMatchObject({ role: 'operator' });
    await sql('delete from operators where user_id = $1', [sub]);
    expect(await principalOf((await refreshed(next.refresh)).jwt)).toMatchObject({ role: 'shopper' });
  });

  test('when the database is down the new cookie reaches the browser all the same', async () => {
    const login = await stage.logIn(freshPhone());
    stage.databaseDown();
    const failed = await refresh(login.refresh);
    expect(failed.status).toBe(503);
    const successor = cookieSet(failed, REFRESH_COOKIE) ?? '';
    stage.databaseUp();
    stage.clock.advance(DAY);
    await refreshed(successor);
  });
});

describe('POST /v1/auth/logout', () => {
  test('ends the session of the cookie: neither token is good any more, and both cookies change', async () => {
    const login = await stage.logIn(freshPhone());
    const response = await post('logout', { cookie: `${REFRESH_COOKIE}=${login.refresh}`, ...OWN });
    expect(response.status).toBe(204);
    expect(cookieSet(response, REFRESH_COOKIE)).toBe('');
    expect((await sessionsOf(login.jwt)).status).toBe(401);
    expect((await refresh(login.refresh)).status).toBe(401);
  });

  test('ends the session of the access token, without a cookie and from anywhere', async () => {
    const login = await stage.logIn(freshPhone());
    expect((await post('logout', bearer(login.jwt))).status).toBe(204);
    expect((await sessionsOf(login.jwt)).status).toBe(401);
    expect((await refresh(login.refresh)).status).toBe(401);
  });

  test('leaves the other sessions alone', async () => {
    const phone = freshPhone();
    const [one, other] = [await stage.logIn(phone), await stage.logIn(phone)];
    await post('logout', bearer(one.jwt));
    expect((await sessionsOf(other.jwt)).status).toBe(200);
  });

  test('gives the browser a visitor of nobody’s (money rule 8), and none under Global Privacy Control', async () => {
    const login = await stage.logIn(freshPhone());
    const rotated = cookieSet(await post('logout', bearer(login.jwt)), 'hb_v');
    expect(rotated).toMatch(/^[\w-]{44}$/);
    expect(rotated).not.toBe(cookieSet(login.response, 'hb_v'));
    expect(cookieSet(await post('logout', { ...bearer(login.jwt), 'sec-gpc': '1' }), 'hb_v')).toBe('');
  });

  test('is refused from a foreign page, and a forged cookie ends nothing', async () => {
    const login = await stage.logIn(freshPhone());
    const cookie = `${REFRESH_COOKIE}=${login.refresh}`;
    expect((await post('logout', { cookie, origin: 'https://evil.test' })).status).toBe(403);
    const forged = `${REFRESH_COOKIE}=${login.refresh.slice(0, -8)}AAAAAAAA`;
    expect((await post('logout', { cookie: forged, ...OWN })).status).toBe(204);
    expect((await sessionsOf(login.jwt)).status).toBe(200);
  });

  test('may be repeated', async () => {
    const login = await stage.logIn(freshPhone());
    for (let index = 0; index < 2; index++) expect((await post('logout', bearer(login.jwt))).status).toBe(204);
    expect((await post('logout', OWN)).status).toBe(204);
  });
});

describe('POST /v1/auth/logout-all', () => {
  test('ends every session of the user and nobody else’s', async () => {
    const phone = freshPhone();
    const [one, two, other] = [await stage.logIn(phone), await stage.logIn(phone), await stage.logIn(freshPhone())];
    const response = await post('logout-all', bearer(one.jwt));
    expect(response.status).toBe(204);
    expect(cookieSet(response, REFRESH_COOKIE)).toBe('');
    for (const { jwt, refresh: token } of [one, two]) {
      expect((await sessionsOf(jwt)).status).toBe(401);
      expect((await refresh(token)).status).toBe(401);
    }
    expect((await sessionsOf(other.jwt)).status).toBe(200);
  });

  test('that cannot reach a session says so, and a repetition ends the rest', async () => {
    const phone = freshPhone();
    const [one, two] = [await stage.logIn(phone), await stage.logIn(phone)];
    const real = stage.sessions.namespace.get;
    const [mine] = [(await principalOf(one.jwt))?.sessionId];
    stage.env.SESSIONS.get = (id) => {
      const calls = stage.sessions.calls(id.toString());
      return id.toString() === mine ? calls : { ...calls, revoke: () => Promise.reject(new Error('away')) };
    };
    const failed = await post('logout-all', bearer(one.jwt));
    expect(failed.status).toBe(503);
    stage.env.SESSIONS.get = real;
    expect((await sessionsOf(two.jwt)).status).toBe(200);
    expect((await refresh(two.refresh)).status).toBe(401); // the list says that it ended
    expect((await post('logout-all', bearer(two.jwt))).status).toBe(204);
    expect((await sessionsOf(two.jwt)).status).toBe(401);
  });
});

describe('the list of sessions', () => {
  test('shows device, times and which one asks; no address, the one used last first', async () => {
    const phone = freshPhone();
    const android = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36';
    const one = await stage.logIn(phone, { 'user-agent': android });
    const begun = new Date(stage.clock.now()).toISOString();
    stage.clock.advance(SECOND);
    const two = await stage.logIn(phone, { 'user-agent': 'curl/8.5.0' });
    stage.clock.advance(SECOND);
    const next = await refreshed(one.refresh);
    const response = await sessionsOf(next.jwt);
    const text = await response.text();
    expect(text).not.toContain('203.0.113');
    expect(JSON.parse(text)).toEqual([
      {
        session_id: (await principalOf(one.jwt))?.sessionId,
        device: 'Chrome on Android',
        created_at: begun,
        last_used_at: new Date(stage.clock.now()).toISOString(),
        is_current: true,
      },
      expect.objectContaining({
        session_id: (await principalOf(two.jwt))?.sessionId,
        device: 'curl',
        is_current: false,
      }),
    ]);
  });

  test('ends one of one’s own, whose tokens are refused at once', async () => {
    const phone = freshPhone();
    const [one, two] = [await stage.logIn(phone), await stage.logIn(phone)];
    const id = (await principalOf(two.jwt))?.sessionId;
    const end = (jwt: string, session: unknown) =>
      stage.call('DELETE', `/v1/auth/sessions/${session}`, undefined, bearer(jwt));
    const stranger = await stage.logIn(freshPhone());
    for (const nobody of [id, randomUUID(), 'x']) expect((await end(stranger.jwt, nobody)).status).toBe(404);
    expect((await sessionsOf(two.jwt)).status).toBe(200);
    expect((await end(one.jwt, id)).status).toBe(204);
    expect((await sessionsOf(two.jwt)).status).toBe(401);
    expect(await (await sessionsOf(one.jwt)).json()).toHaveLength(1);
  });

  test('holds fifty at most: the least recently used makes way, and old ones are forgotten', async () => {
    const phone = freshPhone();
    const first = await stage.logIn(phone);
    const sub = (await principalOf(first.jwt))?.sub;
    await sql(
      `insert into sessions (session_id, user_id, device, created_at, last_used_at)
       select gen_random_uuid(), $1, 'x', $2::timestamptz, $2::timestamptz + interval '1 second' from generate_series(1, 49)`,
      [sub, new Date(stage.clock.now())],
    );
    await sql(
      `insert into sessions (session_id, user_id, device, created_at, last_used_at)
       values (gen_random_uuid(), $1, 'old', '2026-01-01', '2026-01-01')`,
      [sub],
    );
    stage.clock.advance(2 * SECOND);
    const last = await stage.logIn(phone);
    expect(await (await sessionsOf(last.jwt)).json()).toHaveLength(50);
    expect((await sessionsOf(first.jwt)).status).toBe(401);
    expect(await sql(`select from sessions where device = 'old'`)).toEqual([]);
  });
});

test('a login whose session cannot begin is an error, and the next one works', async () => {
  const phone = freshPhone();
  stage.sessions.failing = 1;
  expect((await stage.verifyPhone(phone)).status).toBe(500);
  await stage.logIn(phone);
});
