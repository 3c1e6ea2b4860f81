import { createHash } from 'node:crypto';
import { systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import { routesOf } from '@hissaback/shared/http/routes';
import { ROLES, type Role } from '@hissaback/shared/http/token-claims';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from './app.ts';
import { type Stage, stage } from './stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

const ID = '7b0c2a8e-3f10-4a3a-9b57-0d4a5be3c001';
const ROUTES = routesOf(createApp({ clock: systemClock, random: systemRandom }));
/** Every route behind a token, and who may use it. */
const GUARDED = ROUTES.flatMap(({ method, path, facts }): [method: string, path: string, roles: readonly Role[]][] =>
  facts.roles === undefined ? [] : [[method, path.replace(/:\w+/g, ID), facts.roles]],
);

describe.each(GUARDED)('%s %s', (method, path, roles) => {
  test('authentication comes first: without a valid token 401, whatever the body', async () => {
    const body = method === 'GET' ? {} : { body: '{not json' };
    for (const headers of [{}, { authorization: 'Bearer nonsense' }, { authorization: `Basic ${ID}` }]) {
      const answer = await on.call(method, path, { ...body, headers });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(answer.json).toMatchObject({ code: 'unauthenticated', request_id: answer.headers.get('x-request-id') });
    }
  });

  test.each(ROLES.filter((role) => !roles.includes(role)))('a token of the role %s is refused', async (role) => {
    const scoped = role === 'creator' || role === 'widget';
    const token = await on.token({ sub: ID, role, ...(scoped && { tenantId: ID }) });
    const answer = await on.call(method, path, { token, ...(method !== 'GET' && { json: {} }) });
    expect(answer).toMatchObject({ status: 403, json: { code: 'forbidden' } });
  });

  test('an expired token is refused', async () => {
    const [role = 'cron'] = roles;
    const scoped = role === 'creator' || role === 'widget';
    const token = await on.token({ sub: ID, role, ...(scoped && { tenantId: ID }), lifetime: -1 });
    expect((await on.call(method, path, { token })).status).toBe(401);
  });
});

test('nothing is open but what is meant to be', () => {
  const open = ROUTES.filter(({ facts }) => facts.roles === undefined).map(({ method, path }) => `${method} ${path}`);
  expect(open.toSorted()).toEqual(
    [
      'GET /',
      'GET /.well-known/jwks.json',
      'GET /docs',
      'GET /healthz',
      'GET /robots.txt',
      'GET /v1/openapi.json',
      'POST /v1/auth/logout', // by the refresh cookie
      'POST /v1/auth/otp/request',
      'POST /v1/auth/otp/verify',
      'POST /v1/auth/proof', // by the token of the proof that is asked for
      'POST /v1/auth/refresh', // by the refresh cookie
    ].toSorted(),
  );
});

test('the money of the platform moves by a cron token alone', () => {
  const run = GUARDED.find(([method, path]) => `${method} ${path}` === 'POST /v1/rewards/payout/run');
  expect(run?.[2]).toEqual(['cron']);
});

describe('errors are problem details', () => {
  test('an unknown path is 404', async () => {
    const answer = await on.call('GET', '/v1/nothing-here');
    expect(answer).toMatchObject({ status: 404, json: { code: 'not_found', status: 404 } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  test('a known path under another method is 405 and says which it takes', async () => {
    const answer = await on.call('DELETE', '/v1/campaigns');
    expect(answer).toMatchObject({ status: 405, json: { code: 'method_not_allowed' } });
    expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
  });

  test('a body of another type is 415, a broken one 400, a huge one 413', async () => {
    const { token, tenant_id } = await on.tenant();
    const post = (options: { headers?: Record<string, string>; body: string }) =>
      on.call('POST', '/v1/campaigns', { token, ...options });
    expect((await post({ body: 'name=x', headers: { 'content-type': 'text/plain' } })).status).toBe(415);
    expect((await post({ body: '{"name":' })).json).toMatchObject({ status: 400, code: 'malformed_json' });
    const name = 'x'.repeat(100_000);
    expect((await post({ body: JSON.stringify({ tenant_id, name, share_pct: 1 }) })).status).toBe(413);
  });

  test.each(['null', '[]', '7', '"text"'])('a JSON body that is no object (%s) is 422', async (body) => {
    const { token } = await on.tenant();
    expect((await on.call('POST', '/v1/campaigns', { token, body })).status).toBe(422);
  });

  test('an inner failure says nothing of itself, and one log line tells', async () => {
    const { token } = await on.tenant();
    const { DB } = on.env;
    on.env.DB = { connectionString: 'postgres://hissaback_api:secret@127.0.0.1:1/none' } as ApiEnv['DB'];
    const before = on.logs.length;
    const answer = await on.call('GET', '/v1/campaigns', { token });
    on.env.DB = DB;
    expect(answer).toMatchObject({ status: 500, json: { code: 'internal' } });
    expect(answer.text).not.toMatch(/postgres|ECONN|secret|stack/i);
    expect(on.logs.slice(before).join()).toContain('unhandled_error');
    expect(on.logs.slice(before).join()).not.toContain('secret');
  });
});

test('every answer carries the security headers and a request id', async () => {
  for (const path of ['/', '/healthz', '/robots.txt', '/v1/tenants', '/v1/nowhere']) {
    const { headers } = await on.call('GET', path, { headers: { 'x-request-id': 'abc-1' } });
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('strict-transport-security')).toMatch(/max-age=\d+/);
    expect(headers.get('x-request-id')).toBe('abc-1');
  }
});

test('the health check asks nobody', async () => {
  expect(await on.call('GET', '/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } });
});

test('robots stay away from the API', async () => {
  expect((await on.call('GET', '/robots.txt')).text).toContain('Disallow: /v1/');
});

test('the landing page shows in the style that its policy admits', async () => {
  const { text, headers } = await on.call('GET', '/');
  expect(text).toMatch(/^<!doctype html><html lang="en">/);
  const style = /<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  expect(headers.get('content-security-policy')).toContain(`'sha256-${hash}'`);
});
