import { type ErrorHandler, Hono } from 'hono';
import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { fixedClock, seededRandom } from '../domain/chance.fake.ts';
import { signAccessToken } from './access-token.ts';
import { authenticate } from './auth.ts';
import type { AuthContext } from './auth-context.ts';
import { requestScope } from './context.ts';
import { onError } from './problem.ts';
import type { Role } from './token-claims.ts';
import { parseTokenKeys, type TokenKeys } from './token-keys.ts';

const USER = '0b7c0d3e-5f0a-4c59-9a44-0f3a52d7c001';
const clock = fixedClock('2026-11-02T10:00:00Z');
const SESSION = '5d1f8c1e-2a60-4c8b-8b1c-0f3a52d7c003';
type Asked = { isLive: () => Promise<boolean> };
let session: Asked;
let asked: number;
let env: AuthContext['Bindings'];
let keys: TokenKeys;
let token: string;
const lines: string[] = [];

beforeAll(async () => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  env = {
    JWT_KEYS: JSON.stringify([{ ...(await exportJWK(privateKey)), kid: 'k1' }]),
    API_KEY_KEYS: `1:${'A'.repeat(43)}`,
    SESSIONS: {
      idFromName: (name) => ({ toString: () => name, equals: (other) => String(other) === name }),
      get: (id) => {
        asked++;
        expect(id.toString()).toBe(SESSION);
        return session;
      },
    },
  };
  keys = await parseTokenKeys(env.JWT_KEYS);
  token = await signAccessToken(keys, { sub: USER, role: 'shopper', sessionId: SESSION }, clock, seededRandom(1));
});
beforeEach(() => {
  session = { isLive: async () => true };
  asked = 0;
  lines.length = 0;
});

function answer(roles: readonly Role[], headers: Record<string, string>): Promise<Response> {
  const app = new Hono<AuthContext>();
  app.use(requestScope({ clock, random: seededRandom(2), service: 'test', write: (line) => lines.push(line) }));
  app.onError(onError as unknown as ErrorHandler<AuthContext>);
  app.get('/', authenticate(roles), (c) => c.json({ sub: c.var.principal.sub }));
  return Promise.resolve(app.request('/', { headers }, env));
}

test('a valid token of a listed role passes and its principal is on the context', async () => {
  const response = await answer(['shopper'], { authorization: `Bearer ${token}` });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ sub: USER });
});

test('the scheme is case-insensitive', async () => {
  expect((await answer(['shopper'], { authorization: `bearer ${token}` })).status).toBe(200);
});

test('no token is 401 with a challenge that names no error', async () => {
  const response = await answer(['shopper'], {});
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toBe('Bearer realm="hissaback"');
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(await response.json()).toMatchObject({ code: 'unauthenticated', status: 401 });
});

test.each(['Bearer x', 'Basic abc', 'Bearer', '', 'Bearer hbk_short', 'Bearer hbk_'])(
  'the authorization %o is 401 with invalid_token',
  async (authorization) => {
    const response = await answer(['shopper'], { authorization });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
  },
);

test('a request asks the session once, and a token of a revoked session is 401', async () => {
  expect((await answer(['shopper'], { authorization: `Bearer ${token}` })).status).toBe(200);
  expect(asked).toBe(1);
  session.isLive = async () => false;
  const response = await answer(['shopper'], { authorization: `Bearer ${token}` });
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
});

test('a session that fails once is asked again; one that gives no answer lets nobody pass', async () => {
  let failures = 1;
  session.isLive = async () => {
    if (failures-- > 0) throw new Error('moved');
    return true;
  };
  expect((await answer(['shopper'], { authorization: `Bearer ${token}` })).status).toBe(200);
  session.isLive = () => Promise.reject(new Error('gone'));
  const response = await answer(['shopper'], { authorization: `Bearer ${token}` });
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('1');
  expect(lines.join()).toContain('session_not_asked');
});

test('a role that may not do this, and a cron, cost no question', async () => {
  await answer(['operator'], { authorization: `Bearer ${token}` });
  const cron = await signAccessToken(keys, { sub: 'cron', role: 'cron' }, clock, seededRandom(1));
  expect((await answer(['cron'], { authorization: `Bearer ${cron}` })).status).toBe(200);
  expect(asked).toBe(0);
});

test('another role is 403', async () => {
  const response = await answer(['operator', 'cron'], { authorization: `Bearer ${token}` });
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ code: 'forbidden' });
});

test('no role listed lets nobody pass', async () => {
  expect((await answer([], { authorization: `Bearer ${token}` })).status).toBe(403);
});
