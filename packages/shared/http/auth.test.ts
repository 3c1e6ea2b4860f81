import { Hono } from 'hono';
import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { fixedClock, seededRandom } from '../domain/chance.fake.ts';
import { signAccessToken } from './access-token.ts';
import { authenticate } from './auth.ts';
import { type HttpVariables, requestScope } from './context.ts';
import { onError } from './problem.ts';
import type { Role } from './token-claims.ts';
import { parseTokenKeys } from './token-keys.ts';

const USER = '0b7c0d3e-5f0a-4c59-9a44-0f3a52d7c001';
const clock = fixedClock('2026-11-02T10:00:00Z');
let env: { JWT_KEYS: string };
let token: string;

beforeAll(async () => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  env = { JWT_KEYS: JSON.stringify([{ ...(await exportJWK(privateKey)), kid: 'k1' }]) };
  const keys = await parseTokenKeys(env.JWT_KEYS);
  token = await signAccessToken(keys, { sub: USER, role: 'shopper' }, clock, seededRandom(1));
});

function answer(roles: readonly Role[], headers: Record<string, string>): Promise<Response> {
  const app = new Hono<{ Bindings: { JWT_KEYS: string }; Variables: HttpVariables }>();
  app.use(requestScope({ clock, random: seededRandom(2), service: 'test', write: () => undefined }));
  app.onError(onError);
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

test.each(['Bearer x', 'Basic abc', 'Bearer', ''])(
  'the authorization %o is 401 with invalid_token',
  async (authorization) => {
    const response = await answer(['shopper'], { authorization });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
  },
);

test('another role is 403', async () => {
  const response = await answer(['operator', 'cron'], { authorization: `Bearer ${token}` });
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ code: 'forbidden' });
});

test('no role listed lets nobody pass', async () => {
  expect((await answer([], { authorization: `Bearer ${token}` })).status).toBe(403);
});
