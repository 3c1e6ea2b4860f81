import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { securityHeaders } from './security-headers.ts';

const app = new Hono()
  .use(securityHeaders())
  .get('/', (c) => c.json({}))
  .get('/own', (c) => c.text('', 200, { 'content-security-policy': "default-src 'self'", 'cache-control': 'public' }));

test('an answer loads nothing, is framed nowhere and cached by none unless its handler says so', async () => {
  const { headers } = await app.request('https://hissaback.test/');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('strict-transport-security')).toContain('max-age=');
});

test("a handler's own headers stay", async () => {
  const { headers } = await app.request('https://hissaback.test/own');
  expect(headers.get('content-security-policy')).toBe("default-src 'self'");
  expect(headers.get('cache-control')).toBe('public');
});

test('HSTS is not sent over plain http', async () => {
  const { headers } = await app.request('http://localhost:8787/');
  expect(headers.has('strict-transport-security')).toBe(false);
});
