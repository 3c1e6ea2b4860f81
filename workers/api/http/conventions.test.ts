import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

describe('limit on what needs no token (spec 4: 100 requests a minute and address)', () => {
  const PUBLIC = '/.well-known/jwks.json';
  const generous = { per: '', binding: undefined as unknown };
  let last = 0;
  let address: string;
  const ask = (path = PUBLIC, from = address, token?: string) =>
    on.call('GET', path, { ...(token !== undefined && { token }), headers: { 'cf-connecting-ip': from } });
  beforeAll(() => {
    generous.per = on.env.PUBLIC_PER_MINUTE;
    generous.binding = on.env.PUBLIC_LIMIT;
    on.env.PUBLIC_PER_MINUTE = '100';
  });
  afterAll(() => {
    on.env.PUBLIC_PER_MINUTE = generous.per;
  });
  beforeEach(() => {
    address = `198.51.100.${++last}`;
  });

  test('the hundred and first is 429 and says when to come again; a minute later all is well', async () => {
    for (let count = 1; count <= 100; count++) expect((await ask()).status).toBe(200);
    const refused = await ask();
    expect(refused).toMatchObject({ status: 429, json: { code: 'rate_limited' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(61);
    expect(refused.headers.get('ratelimit')).toMatch(/^"public";r=0;t=\d+$/);
    expect(refused.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await ask(PUBLIC, '198.51.100.250')).status).toBe(200);
    on.clock.advance(61_000);
    expect((await ask()).status).toBe(200);
  });

  test('every public answer says what is left', async () => {
    const first = await ask();
    expect(first.headers.get('ratelimit-policy')).toBe('"public";q=100;w=60');
    expect(first.headers.get('ratelimit')).toMatch(/^"public";r=99;t=\d+$/);
    expect((await ask('/v1/nowhere')).headers.get('ratelimit')).toMatch(/^"public";r=98/);
  });

  test('what needs a token is not counted', async () => {
    const { token } = await on.tenant();
    const answer = await ask('/v1/campaigns', address, token);
    expect(answer.headers.has('ratelimit')).toBe(false);
    expect((await ask()).headers.get('ratelimit')).toMatch(/r=99/);
  });

  test('the addresses of one IPv6 /64 are one', async () => {
    await ask(PUBLIC, '2001:db8:7:7::1');
    expect((await ask(PUBLIC, '2001:db8:7:7:ffff::2')).headers.get('ratelimit')).toMatch(/r=98/);
    expect((await ask(PUBLIC, '2001:db8:7:8::1')).headers.get('ratelimit')).toMatch(/r=99/);
  });

  test('the machine itself is not limited: no client at the edge has such an address', async () => {
    for (const own of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
      expect((await ask(PUBLIC, own)).headers.has('ratelimit')).toBe(false);
  });

  test('what the binding refuses is refused, whatever this isolate has seen', async () => {
    const keys: string[] = [];
    on.env.PUBLIC_LIMIT = {
      limit: async ({ key }: { key: string }) => {
        keys.push(key);
        return { success: false };
      },
    } as unknown as RateLimit;
    const refused = await ask();
    on.env.PUBLIC_LIMIT = generous.binding as RateLimit;
    expect(refused.status).toBe(429);
    expect(refused.headers.has('retry-after')).toBe(true);
    expect(keys).toEqual([address]);
  });
});

describe('CORS', () => {
  const OURS = 'https://studio.example';
  beforeAll(() => {
    on.env.CORS_ORIGINS = ` https://other.example,${OURS}`;
  });
  afterAll(() => {
    on.env.CORS_ORIGINS = '';
  });
  const preflight = (path: string, origin: string, method = 'POST') =>
    on.call('OPTIONS', path, { headers: { origin, 'access-control-request-method': method } });

  test('a listed origin may read answers, with cookies', async () => {
    const answer = await on.call('GET', '/v1/campaigns', { headers: { origin: OURS } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('access-control-allow-origin')).toBe(OURS);
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    expect(answer.headers.get('access-control-expose-headers')).toContain('ETag');
    expect(answer.headers.get('vary')).toContain('Origin');
  });

  test('its preflight is told what may be sent', async () => {
    const answer = await preflight('/v1/campaigns', OURS);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET, POST');
    expect(answer.headers.get('access-control-allow-headers')).toMatch(/Authorization.*Idempotency-Key/);
    expect(Number(answer.headers.get('access-control-max-age'))).toBeGreaterThan(0);
  });

  test.each(['https://evil.example', 'https://studio.example.evil', 'http://studio.example', 'null', ''])(
    'the origin %j is told nothing',
    async (origin) => {
      const answers = [
        await on.call('GET', '/v1/campaigns', { headers: { origin } }),
        await preflight('/v1/campaigns', origin),
      ];
      for (const { headers } of answers) {
        expect(headers.has('access-control-allow-origin')).toBe(false);
        expect(headers.has('access-control-allow-methods')).toBe(false);
      }
    },
  );

  test.each([
    ['GET', '/v1/offers'],
    ['POST', '/v1/events/click'],
  ])('%s %s is open to any origin, for widgets, without cookies', async (method, path) => {
    for (const headers of [
      (await on.call(method, path, { headers: { origin: 'https://blog.example' } })).headers,
      (await preflight(path, 'https://blog.example', method)).headers,
    ]) {
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.has('access-control-allow-credentials')).toBe(false);
    }
  });

  test('an unknown path has no preflight', async () => {
    expect((await preflight('/v1/nowhere', OURS)).status).toBe(404);
  });
});

describe('ETag', () => {
  const POLLED = [
    '/v1/rewards/user',
    '/v1/analytics/creator',
    '/v1/links',
    '/v1/offers',
    '/v1/campaigns',
    '/v1/analytics/timeseries',
  ];

  test.each(POLLED)('GET %s that has not changed is 304 without a body', async (path) => {
    const { token } = await on.tenant();
    const first = await on.call('GET', path, { token });
    expect(first.status).toBe(200);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
    for (const named of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await on.call('GET', path, { token, headers: { 'if-none-match': named } });
      expect(again).toMatchObject({ status: 304, text: '' });
      expect(again.headers.get('etag')).toBe(etag);
      expect(again.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  test('what has changed is sent', async () => {
    const { token, tenant_id } = await on.tenant();
    const headers = { 'if-none-match': (await on.call('GET', '/v1/campaigns', { token })).headers.get('etag') ?? '' };
    await on.campaign(tenant_id);
    const answer = await on.call('GET', '/v1/campaigns', { token, headers });
    expect(answer.status).toBe(200);
    expect(answer.json).toHaveLength(1);
  });

  test('nobody gets 304 for what they may not see', async () => {
    const headers = { 'if-none-match': '*' };
    expect((await on.call('GET', '/v1/campaigns', { headers })).status).toBe(401);
    const { token } = await on.tenant();
    expect((await on.call('GET', `/v1/campaigns/${on.uuid()}`, { token, headers })).status).toBe(404);
  });
});

describe('authentication, then ownership, then validation', () => {
  const BODIES = [
    { body: '{not json' },
    { body: 'a=1', headers: { 'content-type': 'text/plain' } },
    { json: { no: 1 } },
    {},
  ];

  test('whose thing a path names is settled before its body is looked at', async () => {
    const { token, tenant_id } = await on.tenant();
    const other = await on.tenant();
    const campaign = await on.campaign(other.tenant_id);
    for (const options of BODIES) {
      expect((await on.call('PATCH', `/v1/campaigns/${campaign}`, options)).status).toBe(401);
      expect((await on.call('PATCH', `/v1/campaigns/${campaign}`, { token, ...options })).status).toBe(404);
      expect((await on.call('PATCH', `/v1/tenants/${other.tenant_id}`, { token, ...options })).status).toBe(403);
      const own = await on.call('PATCH', `/v1/tenants/${tenant_id}`, { token, ...options });
      expect([400, 415, 422], own.text).toContain(own.status);
    }
  });
});

describe('audit log', () => {
  const entries = (tenant_id: string) =>
    on.sql('select actor, action, subject, details from audit_log where tenant_id = $1 order by audit_id', [tenant_id]);

  test("a creator's changes are written down with who, what and the values set", async () => {
    const { token, user_id } = await on.user();
    const { tenant_id } = (await on.call('POST', '/v1/tenants', { token, json: { name: 'Asha' } })).json;
    const creator = await on.token({ sub: user_id, role: 'creator', tenantId: tenant_id });
    const make = (path: string, json: object) => on.call('POST', path, { token: creator, json });
    const change = async (path: string, json: object) => {
      on.clock.advance(1);
      expect((await on.call('PATCH', path, { token: creator, json })).status).toBe(200);
    };
    on.clock.advance(1);
    const { campaign_id } = (await make('/v1/campaigns', { tenant_id, name: 'Holi', share_pct: 40 })).json;
    await change(`/v1/campaigns/${campaign_id}`, { status: 'paused' });
    on.clock.advance(1);
    const { link_id } = (await make('/v1/links', { campaign_id, offer_id: await on.offer() })).json;
    await change(`/v1/links/${link_id}`, { status: 'archived' });
    await change(`/v1/tenants/${tenant_id}`, { name: 'Asha & Co' });
    const actor = `user:${user_id}`;
    expect(await entries(tenant_id)).toEqual([
      { actor, action: 'tenant.founded', subject: `tenant:${tenant_id}`, details: { name: 'Asha' } },
      {
        ...{ actor, action: 'campaign.created', subject: `campaign:${campaign_id}` },
        details: { name: 'Holi', share_pct: '40.00' },
      },
      { actor, action: 'campaign.changed', subject: `campaign:${campaign_id}`, details: { status: 'paused' } },
      { actor, action: 'link.created', subject: `link:${link_id}`, details: {} },
      { actor, action: 'link.changed', subject: `link:${link_id}`, details: { status: 'archived' } },
      { actor, action: 'tenant.changed', subject: `tenant:${tenant_id}`, details: { name: 'Asha & Co' } },
    ]);
  });

  test("an operator's change is written down in the tenant's log", async () => {
    const { tenant_id } = await on.tenant();
    const operator = await on.operator();
    const json = { trackier_pid: 'pid-of-audit' };
    await on.call('PATCH', `/v1/tenants/${tenant_id}`, { token: operator.token, json });
    expect(await entries(tenant_id)).toMatchObject([{ actor: `user:${operator.user_id}`, action: 'tenant.changed' }]);
  });

  test('a change that was refused leaves no line', async () => {
    const { token, tenant_id } = await on.tenant();
    const campaign_id = await on.campaign(tenant_id, { status: 'archived' });
    await on.call('PATCH', `/v1/campaigns/${campaign_id}`, { token, json: { name: 'New' } });
    expect(await entries(tenant_id)).toEqual([]);
  });
});
