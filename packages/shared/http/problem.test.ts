import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { describe, expect, test } from 'vitest';
import { fixedClock, seededRandom } from '../domain/chance.fake.ts';
import { type HttpVariables, requestScope } from './context.ts';
import { codes, notFound, onError, PROBLEMS, ProblemError } from './problem.ts';

function testApp(): { app: Hono<{ Variables: HttpVariables }>; lines: string[] } {
  const lines: string[] = [];
  const app = new Hono<{ Variables: HttpVariables }>();
  const clock = fixedClock('2026-11-02T10:00:00Z');
  app.use(requestScope({ clock, random: seededRandom(1), service: 'test', write: (line) => lines.push(line) }));
  app.onError(onError);
  app.notFound(notFound(app));
  return { app, lines };
}

describe('an error', () => {
  test('that is a known problem answers as itself, in RFC 9457 form, with its headers', async () => {
    const { app, lines } = testApp();
    app.get('/', () => {
      throw new ProblemError('rate_limited', {
        detail: 'Slower, please.',
        errors: [{ field: 'a.b', message: 'no' }],
        headers: { 'retry-after': '7' },
        members: { hint: 'x', status: 1 },
      });
    });
    const response = await app.request('/', { headers: { 'x-request-id': 'abc-1' } });
    expect(response.status).toBe(429);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('retry-after')).toBe('7');
    expect(response.headers.get('x-request-id')).toBe('abc-1');
    expect(await response.json()).toEqual({
      type: 'urn:hissaback:problem:rate_limited',
      title: 'Too many requests',
      status: 429,
      detail: 'Slower, please.',
      code: 'rate_limited',
      request_id: 'abc-1',
      errors: [{ field: 'a.b', message: 'no' }],
      hint: 'x',
    });
    expect(lines).toEqual([]);
  });

  test('that is anything else is 500, says nothing, and is one log line', async () => {
    const { app, lines } = testApp();
    app.get('/', () => {
      throw Object.assign(new Error('duplicate key for +919876543210 in secret_table'), {
        code: '23505',
        detail: 'Key (phone)=(x)',
      });
    });
    const response = await app.request('/');
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: 'internal', status: 500 });
    expect(text).not.toMatch(/secret_table|duplicate|23505|Error/);
    expect(lines).toHaveLength(1);
    const line = JSON.parse(lines[0] ?? '');
    expect(line).toMatchObject({ level: 'error', event: 'unhandled_error', error: { code: '23505' } });
    expect(line.request_id).toBe(JSON.parse(text).request_id);
    expect(lines[0]).not.toContain('9876543210');
    expect(lines[0]).not.toContain('Key (phone)');
  });

  test('of the framework below 500 is a malformed request', async () => {
    const { app } = testApp();
    app.get('/', () => {
      throw new HTTPException(400, { message: 'inner words' });
    });
    const response = await app.request('/');
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain('inner words');
  });
});

describe('a path', () => {
  test('that is nowhere is 404', async () => {
    const { app } = testApp();
    const response = await app.request('/nowhere');
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'not_found' });
  });

  test('that has other methods is 405 and names them', async () => {
    const { app } = testApp();
    const inner = new Hono<{ Variables: HttpVariables }>().get('/v1/things/:id', (c) => c.json({}));
    app.route('/', inner);
    app.patch('/v1/things/:id', (c) => c.json({}));
    const response = await app.request('/v1/things/7', { method: 'DELETE' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, PATCH');
    expect(await response.json()).toMatchObject({ code: 'method_not_allowed' });
    expect((await app.request('/v1/things', { method: 'DELETE' })).status).toBe(404);
  });
});

test('every code has a status of the error classes, and the list is closed', () => {
  for (const code of codes) expect(PROBLEMS[code].status).toBeGreaterThanOrEqual(400);
  expect(codes).toContain('internal');
});

test('an X-Request-Id with anything odd in it is replaced', async () => {
  const { app } = testApp();
  app.get('/', (c) => c.text('ok'));
  for (const odd of ['a b', 'a'.repeat(65), '<script>', '']) {
    const response = await app.request('/', { headers: { 'x-request-id': odd } });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  }
});
