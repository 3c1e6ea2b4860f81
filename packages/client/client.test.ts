import { expect, test } from 'vitest';
import { createClient, read } from './index.ts';

type Sent = { path: string; authorization: string | null };

/** A server that takes one token and hands it out for the refresh cookie. */
function server(good: string, refreshes: { status: number }) {
  const sent: Sent[] = [];
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const { pathname: path } = new URL(String(input));
    const authorization = new Headers(init?.headers).get('authorization');
    sent.push({ path, authorization });
    if (path === '/v1/auth/refresh') {
      expect(init).toMatchObject({ method: 'POST', credentials: 'include' });
      await new Promise((soon) => setTimeout(soon));
      return Response.json({ jwt: good }, { status: refreshes.status });
    }
    if (authorization === `Bearer ${good}`) return Response.json([]);
    const problem = {
      type: 'x',
      title: 'Authentication is needed',
      status: 401,
      code: 'unauthenticated',
      request_id: 'r',
    };
    return Response.json(problem, { status: 401 });
  };
  return { sent, fetch };
}

test('a token that is refused is renewed once for all requests that wait, and they are sent again', async () => {
  const { sent, fetch } = server('new', { status: 200 });
  const client = createClient('https://hissaback.test', { token: 'old', fetch });
  const list = () => read(client.api.v1.campaigns.$get({ query: {} }));
  expect(await Promise.all([list(), list(), list()])).toEqual([[], [], []]);
  expect(sent.filter(({ path }) => path === '/v1/auth/refresh')).toHaveLength(1);
  expect(client.token()).toBe('new');
});

test('when the session has ended, the refusal is thrown and the token forgotten', async () => {
  const { sent, fetch } = server('new', { status: 401 });
  const client = createClient('https://hissaback.test', { token: 'old', fetch });
  await expect(read(client.api.v1.campaigns.$get({ query: {} }))).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(client.token()).toBeNull();
  await expect(read(client.api.v1.campaigns.$get({ query: {} }))).rejects.toMatchObject({ status: 401 });
  expect(sent.map(({ path }) => path)).toEqual(['/v1/campaigns', '/v1/auth/refresh', '/v1/campaigns']);
});

test('an API key has no session to renew', async () => {
  const { sent, fetch } = server('new', { status: 200 });
  const client = createClient('https://hissaback.test', { token: 'hbk_key', fetch });
  await expect(read(client.api.v1.campaigns.$get({ query: {} }))).rejects.toMatchObject({ status: 401 });
  expect(sent).toEqual([{ path: '/v1/campaigns', authorization: 'Bearer hbk_key' }]);
});

test('an answer that is not the API’s is a problem too', async () => {
  const fetch = async () => new Response('<h1>Bad gateway</h1>', { status: 502, headers: { 'retry-after': '3' } });
  const client = createClient('https://hissaback.test', { fetch });
  const refused = read(client.api.v1.campaigns.$get({ query: {} }));
  await expect(refused).rejects.toMatchObject({ status: 502, code: 'unknown', retryAfter: 3 });
});
