import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stage, stage } from './stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

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
