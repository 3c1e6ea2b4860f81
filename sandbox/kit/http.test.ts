import { request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { json, serve } from './http.ts';
import { get } from './testing.ts';

async function startForTest() {
  const server = await serve('test', {
    'GET /things/:id': ({ params }) => json(200, params),
    'POST /things': ({ body }) => json(200, { size: body.length }),
    'GET /broken': () => {
      throw new Error('secret');
    },
  });
  onTestFinished(() => server.close());
  return server;
}

test('unknown paths and methods are refused in JSON', async () => {
  const { url } = await startForTest();
  expect((await get(`${url}/things/7`)).body).toEqual({ id: '7' });
  expect((await get(`${url}/nothing`)).status).toBe(404);
  const response = await fetch(`${url}/things`, { method: 'PUT' });
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('POST');
});

test('a body over one mebibyte is refused, declared or not', async () => {
  const { url } = await startForTest();
  const post = (size: number) => fetch(`${url}/things`, { method: 'POST', body: 'x'.repeat(size) });
  expect((await post(1024 * 1024)).status).toBe(200);
  expect((await post(1024 * 1024 + 1)).status).toBe(413);
  const chunked = await new Promise<number | undefined>((resolve, reject) => {
    const sending = request(`${url}/things`, { method: 'POST' }, ({ statusCode }) => resolve(statusCode));
    sending.on('error', reject);
    sending.write('x'.repeat(1024 * 1024));
    sending.write('x');
    sending.end();
  });
  expect(chunked).toBe(413);
});

test('a handler that fails says nothing of why', async () => {
  const { url } = await startForTest();
  const { status, body } = await get(`${url}/broken`);
  expect(status).toBe(500);
  expect(JSON.stringify(body)).not.toContain('secret');
});
