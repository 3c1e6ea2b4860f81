import { mkdtempSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { operatorToken } from './operator-token.ts';

let server: Server;
let origin: string;
const stack = { logins: 0, lifeSeconds: 3_600, isOpen: true };
const jwt = (): string =>
  ['e30', Buffer.from(JSON.stringify({ n: stack.logins, exp: Date.now() / 1_000 + stack.lifeSeconds })), 'x']
    .map((part) => (typeof part === 'string' ? part : part.toString('base64url')))
    .join('.');

beforeAll(async () => {
  server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    const answer = (json: unknown, status = 200) => response.writeHead(status).end(JSON.stringify(json));
    if (path === '/v1/auth/otp/request') {
      stack.logins += 1;
      answer({ request_id: 'r' });
    } else if (path === '/v1/auth/otp/verify') answer({ jwt: jwt() });
    else if (path === '/messages') answer(Array.from({ length: stack.logins }, () => ({ text: 'Code 123456' })));
    else answer([], stack.isOpen ? 200 : 401);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'hissaback-token-')), 'operator-token');
  Object.assign(stack, { logins: 0, lifeSeconds: 3_600, isOpen: true });
});
const token = () =>
  operatorToken(
    { origin, operatorPhone: '+919800000000', sandbox: { agcod: '', trackier: '', sms: origin, pager: '', dns: '' } },
    file,
  );

test('a command that runs often logs in once, and nobody else can read the token', async () => {
  const first = await token();
  expect([await token(), await token(), stack.logins]).toEqual([first, first, 1]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a token that has expired, or opens nothing any more, is replaced', async () => {
  stack.lifeSeconds = 30;
  await token();
  stack.lifeSeconds = 3_600;
  await token();
  expect(stack.logins).toBe(2);
  stack.isOpen = false;
  await token();
  expect(stack.logins).toBe(3);
});
