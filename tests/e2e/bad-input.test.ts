import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { beforeAll, describe, expect, test } from 'vitest';
import { changedTables, checksums } from './support/books.ts';
import type { Answer, Ask } from './support/http.ts';
import type { Creator, Person } from './support/platform.ts';
import { openSuite } from './support/suite.ts';

const on = openSuite();
let creator: Creator;
let shopper: Person;

type Route = { method: string; path: string; takesBody: boolean };

/** The spec's own endpoints; whatever else the API says it has is added to them. */
const ROUTES: Route[] = [
  ['POST', '/v1/auth/otp/request'],
  ['POST', '/v1/auth/otp/verify'],
  ['POST', '/v1/auth/switch'],
  ['GET', '/v1/offers'],
  ['GET', '/v1/tenants'],
  ['POST', '/v1/tenants'],
  ['GET', '/v1/tenants/{tenant_id}'],
  ['PATCH', '/v1/tenants/{tenant_id}'],
  ['GET', '/v1/campaigns'],
  ['POST', '/v1/campaigns'],
  ['GET', '/v1/campaigns/{campaign_id}'],
  ['PATCH', '/v1/campaigns/{campaign_id}'],
  ['GET', '/v1/links'],
  ['POST', '/v1/links'],
  ['GET', '/v1/links/{link_id}'],
  ['PATCH', '/v1/links/{link_id}'],
  ['GET', '/v1/analytics/creator'],
  ['POST', '/v1/events/click'],
  ['POST', '/v1/rewards/payout/run'],
  ['GET', '/v1/rewards/user'],
].map(([method = '', path = '']) => ({ method, path, takesBody: method !== 'GET' }));
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
/** Takes any text as evidence: see the webhook's own tests. */
const WEBHOOK = '/v1/events/conversion';

async function routes(): Promise<Route[]> {
  const described = (await on.call('GET', '/v1/openapi.json')).json?.paths ?? {};
  const found = Object.entries<Record<string, object>>(described).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined
        ? []
        : [{ method: method.toUpperCase(), path, takesBody: 'requestBody' in operation }];
    }),
  );
  const all = new Map([...ROUTES, ...found].map((route) => [`${route.method} ${route.path}`, route]));
  return [...all.values()].filter(({ path }) => path !== WEBHOOK && path.startsWith('/v1/'));
}

const json = (body: string): Ask => ({ body, headers: { 'content-type': 'application/json' } });
/** Every field that any route takes, with what none of them does. */
const wrong = (value: unknown): Ask => {
  const fields = [
    'phone',
    'request_id',
    'code',
    'tenant_id',
    'name',
    'share_pct',
    'campaign_id',
    'offer_id',
    'slug',
    'status',
  ];
  const further = [
    'expires_at',
    'fallback_url',
    'sub_ids',
    'link_id',
    'user_id',
    'default_share_pct',
    'trackier_pid',
    'config',
  ];
  return json(JSON.stringify(Object.fromEntries([...fields, ...further].map((field) => [field, value]))));
};

const BAD_BODIES: [string, Ask][] = [
  ['no body', {}],
  ['text', { body: 'hello', headers: { 'content-type': 'text/plain' } }],
  ['a form', { body: 'name=x&phone=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
  ['half a JSON text', json('{"name":')],
  ['an array', json('[]')],
  ['a number', json('12')],
  ['null', json('null')],
  ['unknown fields', json('{"__proto__":{"admin":true},"constructor":1,"no_such_field":true}')],
  ['a body nested 5,000 deep', json('['.repeat(5000) + ']'.repeat(5000))],
  ['200 kB', json(JSON.stringify({ name: 'x'.repeat(200_000) }))],
  ['objects everywhere', wrong({ $ne: null })],
  ['NUL everywhere', wrong('\u0000')],
  ['half a surrogate pair everywhere', wrong('\ud800')],
  ['nothing but blanks everywhere', wrong('   ')],
  ['numbers beyond every type everywhere', wrong(1e308)],
  ['negative numbers everywhere', wrong(-1)],
  ['SQL everywhere', wrong(`'; drop table users; --`)],
];
const BAD_QUERIES = [
  'limit=-1',
  'limit=1e9',
  'limit=101&limit=5',
  'cursor=%00',
  'cursor=AAAA',
  'period=0d',
  'period=99999d',
  'currency=%F0%9F%92%B0',
  'category=%00',
  'status=nope',
  'tenant_id=%27%20or%201=1',
  'user_id=me',
  '%00=%00',
  'limit=%E0%A4%A',
];
const BAD_IDS = ['x', '%00', '%27%20or%201%3D1--', '..%2f..%2fadmin', 'a'.repeat(2000), '%E0%A4%A'];

/** Never our fault, and said as every error is said (RFC 9457). */
function expectProblem({ status, headers, json: problem, text }: Answer, what: string): void {
  expect(status, `${what} answered ${status} ${text.slice(0, 200)}`).toBeLessThan(500);
  if (status < 400) return;
  expect(headers.get('content-type'), what).toContain('application/problem+json');
  expect(problem, what).toMatchObject({ status, code: expect.any(String), title: expect.any(String) });
  expect(problem.request_id, what).toMatch(/\S/);
  expect(text, what).not.toMatch(/select |insert |\bat \S+ \(|node_modules|postgres|ECONN|zod/i);
}

beforeAll(async () => {
  [creator, shopper] = await Promise.all([on.creator(), on.logIn()]);
  await on.quiet();
});

/** Runs `work` and expects it to have left the database as it was. */
async function writingNothing(work: () => Promise<void>): Promise<void> {
  const before = await checksums(on, ['schedule_runs']);
  await work();
  await on.quiet();
  expect(changedTables(before, await checksums(on, ['schedule_runs']))).toEqual([]);
}

/** Sends many requests, eight at a time, each from an address of its own: none meets a limit. */
async function each(requests: { method: string; path: string; request: Ask; what: string }[]): Promise<void> {
  const queue = [...requests.entries()];
  const lane = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, { method, path, request, what }] = next;
      const address = `2001:db8:bad:${index.toString(16)}::1`;
      const headers = { ...request.headers, 'cf-connecting-ip': address };
      expectProblem(await on.call(method, path, { ...request, headers }), what);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

const filled = (path: string, id: string): string => path.replaceAll(/\{\w+\}/g, id);

describe('whatever is sent to a route, the answer is a problem of the sender’s and nothing is written', () => {
  test('bodies', async () => {
    // One that takes no body does what it is for, whatever comes with it: `logout-all` ends these very sessions.
    const writing = (await routes()).filter(({ takesBody }) => takesBody);
    expect(writing.length).toBeGreaterThan(20);
    await writingNothing(() =>
      each(
        writing.flatMap(({ method, path }) =>
          BAD_BODIES.flatMap(([name, request]) =>
            [creator.token, shopper.token].map((token) => ({
              ...{ method, path: filled(path, creator.tenant_id), request: { ...request, token } },
              what: `${method} ${path} with ${name}`,
            })),
          ),
        ),
      ),
    );
  });

  test('ids in the path', async () => {
    const withId = (await routes()).filter(({ path }) => path.includes('{'));
    await writingNothing(() =>
      each(
        withId.flatMap(({ method, path }) =>
          [...BAD_IDS, randomUUID()].map((id) => ({
            ...{ method, path: filled(path, id), what: `${method} ${path} of ${id.slice(0, 40)}` },
            request: { token: creator.token, ...(method === 'GET' ? {} : { json: { name: 'x' } }) },
          })),
        ),
      ),
    );
  });

  test('queries', async () => {
    const reading = (await routes()).filter(({ method }) => method === 'GET');
    await writingNothing(() =>
      each(
        reading.flatMap(({ method, path }) =>
          BAD_QUERIES.map((query) => ({
            ...{ method, path: `${filled(path, creator.tenant_id)}?${query}` },
            ...{ request: { token: creator.token }, what: `${method} ${path}?${query}` },
          })),
        ),
      ),
    );
  });

  test('tokens: who is nobody gets 401 wherever somebody is needed', async () => {
    const [header = '', claims = ''] = creator.token.split('.');
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    const tokens = ['x', '..', `${none}.${claims}.`, `${header}.${claims}.AAAA`, 'A'.repeat(9000)];
    const open = (path: string) =>
      path.startsWith('/v1/auth/') || path === '/v1/events/click' || path.includes('openapi');
    await writingNothing(async () => {
      for (const { method, path } of await routes()) {
        for (const token of [undefined, ...tokens]) {
          const request = { token, ...(method === 'GET' ? {} : { json: {} }) };
          const answer = await on.call(method, filled(path, creator.tenant_id), request);
          const what = `${method} ${path} with token ${token?.slice(0, 20)}`;
          expectProblem(answer, what);
          if (!open(path)) expect(answer.status, what).toBe(401);
        }
      }
    });
  });

  test('methods that a route does not have: 405 with those it has', async () => {
    const byPath = Map.groupBy(await routes(), ({ path }) => path);
    await writingNothing(async () => {
      for (const [path, own] of byPath) {
        const has = new Set(own.map(({ method }) => method));
        const method = ['DELETE', 'PUT'].find((candidate) => !has.has(candidate));
        if (method === undefined) continue;
        const answer = await on.call(method, filled(path, creator.tenant_id), { token: creator.token });
        expectProblem(answer, `${method} ${path}`);
        expect(answer.status, `${method} ${path}`).toBe(405);
        for (const known of has) expect(answer.headers.get('allow'), path).toContain(known);
      }
    });
  });

  test('paths that nobody has: 404', async () => {
    for (const path of ['/v1', '/v1/', '/v1/nope', '/v1/links/', '/v1//links', '/v1/%00', '/v1/links/a/b/c']) {
      const answer = await on.call('GET', path, { token: creator.token });
      expectProblem(answer, path);
      expect(answer.status, path).toBe(404);
    }
  });
});

describe('a body where none belongs, or one that is far too large', () => {
  const answerOf = (method: string, path: string, body: Buffer): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const length = method === 'GET' ? { 'content-length': body.length } : { 'transfer-encoding': 'chunked' };
      const headers = { 'content-type': 'application/json', 'cf-connecting-ip': '2001:db8:b16::1', ...length };
      const sent = request(on.stack.origin + path, { method, headers }, (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode));
      });
      sent.once('error', reject);
      sent.end(body);
    });
  const LARGE = Buffer.alloc(3_000_000, 'x');

  test.each([
    ['GET', '/v1/offers', Buffer.from('{}'), 401],
    ['GET', `/v1/events/conversion?token=${on.stack.webhookToken}`, Buffer.from('{}'), 200],
    ['POST', '/v1/auth/otp/request', LARGE, 413],
    ['POST', '/v1/campaigns', LARGE, 401],
    ['POST', '/v1/nope', LARGE, 404],
    ['POST', '/nothing-here', LARGE, 405],
    ['POST', `/v1/events/conversion?token=${on.stack.webhookToken}`, LARGE, 200],
  ])('%s %s', async (method, path, body, status) => {
    expect(await answerOf(method, path, body)).toBe(status);
  });
});

describe('smart links that are none', () => {
  test.each(['/nothing-here', '/a%20b', '/%00', '/%2e%2e%2fadmin', '/%E0%A4%A', `/${'x'.repeat(65)}`, '/%C3%A9'])(
    '%s is a friendly 404',
    async (path) => {
      const answer = await on.call('GET', path);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('content-type')).toContain('text/html');
    },
  );
});
