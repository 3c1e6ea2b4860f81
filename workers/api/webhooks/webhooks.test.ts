import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { openWebhookSecret } from '@hissaback/shared/domain/webhook-secret';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

const URL_ = 'https://hooks.asha.example/in';
async function listening(json: Record<string, unknown> = {}) {
  const tenant = await on.tenant();
  const answer = await on.call('POST', '/v1/webhooks', { token: tenant.token, json: { url: URL_, ...json } });
  return { ...tenant, answer, path: `/v1/webhooks/${answer.json.endpoint_id}` };
}

test('an endpoint is made with a secret that is shown once and never again', async () => {
  const { token, answer, path } = await listening({ description: 'Shop' });
  expect(answer).toMatchObject({
    status: 200,
    json: { url: URL_, description: 'Shop', status: 'enabled', failures: 0 },
  });
  expect(answer.json.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(answer.json.events).toEqual([
    'conversion.created',
    'conversion.confirmed',
    'conversion.reversed',
    'reward.paid',
  ]);
  const { secret, ...shown } = answer.json;
  expect((await on.call('GET', path, { token })).json).toEqual(shown);
  expect((await on.call('GET', '/v1/webhooks', { token })).json).toEqual([shown]);
  expect(on.logs.join()).not.toContain(secret);
});

test('a tenant has at most ten endpoints, however many are asked for at once', async () => {
  const { token } = await on.tenant();
  const asked = Array.from({ length: 14 }, () => on.call('POST', '/v1/webhooks', { token, json: { url: URL_ } }));
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses.toSorted()).toEqual([...Array(10).fill(200), ...Array(4).fill(409)]);
  expect((await on.call('GET', '/v1/webhooks', { token })).json).toHaveLength(10);
});

test("the api's own role cannot read a secret", async () => {
  await listening();
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: on.env.DB.connectionString });
  await client.connect();
  for (const column of ['secret', 'previous_secret']) {
    await expect(client.query(`select ${column} from webhook_endpoints`)).rejects.toMatchObject({ code: '42501' });
  }
  await client.end();
});

test('a rotation gives a new secret and keeps the old one signing for a day', async () => {
  const { token, answer, path } = await listening();
  const rotated = await on.call('POST', `${path}/rotate`, { token });
  expect(rotated.status).toBe(200);
  expect(rotated.json.secret).not.toBe(answer.json.secret);
  const until = new Date(on.clock.now() + 86_400_000).toISOString();
  expect(rotated.json.previous_secret_until).toBe(until);
  const { endpoint_id } = answer.json;
  const [row] = await on.sql<{ tenant_id: string; secret: string; previous_secret: string }>(
    'select tenant_id, secret, previous_secret from webhook_endpoints where endpoint_id = $1',
    [endpoint_id],
  );
  if (row === undefined) throw new Error('no row');
  const open = (kept: string) =>
    openWebhookSecret(kept, { ...row, endpoint_id }, keyringFrom(on.env.WEBHOOK_KEYS, 'WEBHOOK_KEYS'));
  expect(await open(row.secret)).toBe(rotated.json.secret);
  expect(await open(row.previous_secret)).toBe(answer.json.secret);
});

test('no secret is in the database but encrypted', async () => {
  const { answer, path, token } = await listening();
  const rotated = await on.call('POST', `${path}/rotate`, { token });
  const rows = await on.sql<{ row: string }>('select e::text as row from webhook_endpoints e');
  for (const { secret } of [answer.json, rotated.json]) expect(rows.map(({ row }) => row).join()).not.toContain(secret);
  expect(rows.map(({ row }) => row).join()).not.toContain('whsec_');
});

test('an endpoint is changed, disabled, enabled and removed', async () => {
  const { token, path, tenant_id } = await listening();
  const change = async (json: unknown) => (await on.call('PATCH', path, { token, json })).json;
  expect(await change({ events: ['reward.paid'], description: 'Only payouts' })).toMatchObject({
    events: ['reward.paid'],
    description: 'Only payouts',
  });
  await on.sql(
    "update webhook_endpoints set status = 'failing', failures = 50, failing_since = now() where tenant_id = $1",
    [tenant_id],
  );
  expect(await change({ status: 'enabled' })).toMatchObject({ status: 'enabled', failures: 0, failing_since: null });
  expect(await change({ status: 'disabled' })).toMatchObject({ status: 'disabled' });
  expect((await on.call('DELETE', path, { token })).status).toBe(204);
  expect((await on.call('GET', path, { token })).status).toBe(404);
  expect((await on.call('DELETE', path, { token })).status).toBe(404);
  expect(
    await on.sql('select secret, previous_secret from webhook_endpoints where tenant_id = $1', [tenant_id]),
  ).toEqual([{ secret: '', previous_secret: null }]);
});

test('the deliveries are listed page by page, and one can be replayed under the same event', async () => {
  const { token, path, tenant_id } = await listening();
  const { user_id } = await on.user();
  const link_id = await on.link(tenant_id);
  for (let n = 0; n < 3; n++) {
    await on.reward({
      ...{ tenant_id, link_id, user_id, at: new Date(on.clock.now() - n), status: 'pending' },
      ...{ user_amount: '1.00', creator_amount: '1.00' },
    });
  }
  const seen: string[] = [];
  let next: string | undefined = `${path}/deliveries?limit=2`;
  while (next) {
    const answer = await on.call('GET', next, { token });
    seen.push(...answer.json.map((row: { delivery_id: string }) => row.delivery_id));
    next = /^<https:\/\/[^/]+([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  expect(new Set(seen).size).toBe(3);
  const [delivery_id] = seen;
  await on.sql("update webhook_deliveries set status = 'failed', attempts = 10 where delivery_id = $1", [delivery_id]);
  const [failed] = (await on.call('GET', `${path}/deliveries?status=failed`, { token })).json;
  expect(failed).toMatchObject({ delivery_id, type: 'conversion.created', attempts: 10, next_attempt_at: null });
  const replayed = await on.call('POST', `${path}/deliveries/${delivery_id}/replay`, { token });
  expect(replayed).toMatchObject({
    status: 200,
    json: { event_id: failed.event_id, status: 'pending', attempts: 0, replay_of: delivery_id },
  });
  await on.call('PATCH', path, { token, json: { status: 'disabled' } });
  expect((await on.call('GET', `${path}/deliveries?status=pending`, { token })).json).toEqual([]);
  expect((await on.call('POST', `${path}/deliveries/${delivery_id}/replay`, { token })).status).toBe(409);
});

test.each([
  [{ url: 'http://hooks.asha.example/' }, 'url'],
  [{ url: 'https://127.0.0.1/' }, 'url'],
  [{ url: 'https://[::1]/' }, 'url'],
  [{ url: 'https://localhost/' }, 'url'],
  [{ url: 'https://hissaback.test/v1/webhooks' }, 'url'],
  [{ url: 'https://a:b@hooks.asha.example/' }, 'url'],
  [{ url: 7 }, 'url'],
  [{ events: [] }, 'events'],
  [{ events: ['click.made'] }, 'events.0'],
  [{ description: 'a\nb' }, 'description'],
  [{ secret: 'whsec_mine' }, 'secret'],
])('%j is refused, with the field named', async (change, field) => {
  const { answer } = await listening(change);
  expect(answer).toMatchObject({ status: 422, json: { errors: [{ field }] } });
});

test('a stack on one machine may listen on one', async () => {
  on.env.WEBHOOK_TARGETS = 'any';
  const { answer } = await listening({ url: 'http://127.0.0.1:9000/hook' });
  on.env.WEBHOOK_TARGETS = 'public';
  expect(answer.status).toBe(200);
});

test('a tenant has ten endpoints at most', async () => {
  const { token } = await listening();
  for (let n = 1; n < 10; n++) await on.call('POST', '/v1/webhooks', { token, json: { url: `${URL_}?${n}` } });
  expect((await on.call('POST', '/v1/webhooks', { token, json: { url: URL_ } })).status).toBe(409);
});

test("another tenant's endpoint is not there, whatever is done with it", async () => {
  const [mine, other] = [await listening(), await on.tenant()];
  const id = on.uuid();
  const tries: [string, string, unknown?][] = [
    ['GET', mine.path],
    ['PATCH', mine.path, { status: 'x' }],
    ['DELETE', mine.path],
    ['POST', `${mine.path}/rotate`],
    ['GET', `${mine.path}/deliveries?limit=x`],
    ['POST', `${mine.path}/deliveries/${id}/replay`],
  ];
  for (const [method, path, json] of tries) {
    const answer = await on.call(method, path, { token: other.token, ...(json !== undefined && { json }) });
    expect(answer.status, `${method} ${path}`).toBe(404);
  }
  const named = { tenant_id: mine.tenant_id, url: URL_ };
  expect((await on.call('POST', '/v1/webhooks', { token: other.token, json: named })).status).toBe(403);
});

test('money rule 24: who is no member any more changes nothing', async () => {
  const { token, user_id, path } = await listening();
  await on.sql('delete from tenant_members where user_id = $1', [user_id]);
  for (const [method, to, json] of [
    ['POST', '/v1/webhooks', { url: URL_ }],
    ['PATCH', path, { status: 'disabled' }],
    ['DELETE', path],
    ['POST', `${path}/rotate`],
  ] as const) {
    expect((await on.call(method, to, { token, ...(json !== undefined && { json }) })).status).toBe(403);
  }
});
