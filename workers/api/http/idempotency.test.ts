import { IDEMPOTENCY_LIFETIME_MS } from '@hissaback/shared/http/idempotency';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
let who: Awaited<ReturnType<Stage['tenant']>>;
let key: string;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());
beforeEach(async () => {
  who = await on.tenant();
  key = on.uuid();
});

const campaign = (name = 'Diwali') => ({ tenant_id: who.tenant_id, name, share_pct: '50' });
const post = (path: string, json: unknown, given: string | undefined = key, token = who.token) =>
  on.call('POST', path, { token, json, headers: given === undefined ? {} : { 'idempotency-key': given } });
const campaigns = async () => (await on.sql('select from campaigns where tenant_id = $1', [who.tenant_id])).length;

test('fault 18: the same key and body get the same answer, and there is one row', async () => {
  const first = await post('/v1/campaigns', campaign());
  const again = await post('/v1/campaigns', campaign());
  expect(first.status).toBe(200);
  expect(again).toMatchObject({ status: 200, text: first.text });
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
  expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
  expect(await campaigns()).toBe(1);
});

test('fault 18: fifty at once make one row, and each of the fifty gets the one answer', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => post('/v1/campaigns', campaign())));
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(answers[0]?.status).toBe(200);
  expect(await campaigns()).toBe(1);
});

test('another body, or another query, under the key is 422 and makes nothing', async () => {
  await post('/v1/campaigns', campaign());
  for (const [path, json] of [
    ['/v1/campaigns', campaign('Holi')],
    ['/v1/campaigns?x=1', campaign()],
  ] as const) {
    expect(await post(path, json)).toMatchObject({ status: 422, json: { code: 'idempotency_mismatch' } });
  }
  expect(await campaigns()).toBe(1);
});

test('the key is of whoever used it, and of the route', async () => {
  const first = await post('/v1/campaigns', campaign());
  const elsewhere = await post('/v1/widgets', { campaign_id: first.json.campaign_id });
  expect(elsewhere.status).toBe(200);
  const other = await on.tenant();
  const theirs = await post('/v1/campaigns', { ...campaign(), tenant_id: other.tenant_id }, key, other.token);
  expect(theirs.status).toBe(200);
  expect(theirs.json.campaign_id).not.toBe(first.json.campaign_id);
});

test('a request that was refused gives the key back', async () => {
  expect((await post('/v1/campaigns', campaign(''))).status).toBe(422);
  expect((await post('/v1/campaigns', campaign('Holi'))).status).toBe(200);
  expect(await campaigns()).toBe(1);
});

test('work that was committed before it was refused gives the key back too: a click whose queue is full', async () => {
  const link_id = await on.link(who.tenant_id);
  await on.sql('update links set published_version = version');
  on.failing.queue = 1;
  const json = { link_id, user_id: who.user_id };
  expect((await post('/v1/events/click', json)).status).toBe(503);
  on.failing.queue = 0;
  const before = on.clicks.length;
  const second = await post('/v1/events/click', json);
  expect(second.status).toBe(200);
  expect((await post('/v1/events/click', json)).text).toBe(second.text);
  expect(on.clicks.length).toBe(before + 1);
});

test('after a day the key is free again, and expired keys are cleared away', async () => {
  const first = await post('/v1/campaigns', campaign());
  on.clock.advance(IDEMPOTENCY_LIFETIME_MS - 1);
  // Tokens live no longer than keys do.
  const claims = { sub: who.user_id, role: 'creator', tenantId: who.tenant_id } as const;
  who.token = await on.token({ ...claims });
  expect((await post('/v1/campaigns', campaign())).text).toBe(first.text);
  on.clock.advance(1);
  const next = await post('/v1/campaigns', campaign());
  expect(next.json.campaign_id).not.toBe(first.json.campaign_id);
  await post('/v1/campaigns', campaign(), on.uuid());
  const expired = await on.sql('select from idempotency_keys where expires_at <= $1', [new Date(on.clock.now())]);
  expect(expired).toHaveLength(0);
});

test('an answer is unreadable in the database: it may hold what is shown once', async () => {
  const made = await post('/v1/api-keys', { name: 'Server', scopes: ['offers:read'] });
  expect(made.json.key).toMatch(/^hbk_/);
  const rows = await on.sql<{ answer: string | null }>('select answer from idempotency_keys');
  for (const { answer } of rows) expect(answer).toMatch(/^\d+\.[\w-]{16}\.[\w-]+$/);
  expect(JSON.stringify(rows)).not.toContain(made.json.key);
  expect((await post('/v1/api-keys', { name: 'Server', scopes: ['offers:read'] })).text).toBe(made.text);
  expect(await on.sql('select from api_keys where tenant_id = $1', [who.tenant_id])).toHaveLength(1);
});

test.each([
  ['empty', ''],
  ['longer than 255', 'x'.repeat(256)],
  ['with a space', 'a b'],
  ['beyond ASCII', 'ké'],
])('a key that is %s is 422 and makes nothing', async (_what, given) => {
  const answer = await post('/v1/campaigns', campaign(), given);
  expect(answer).toMatchObject({
    status: 422,
    json: { code: 'invalid_field', errors: [{ field: 'Idempotency-Key' }] },
  });
  expect(await campaigns()).toBe(0);
});

test('a key of 255 characters is one', async () => {
  expect((await post('/v1/campaigns', campaign(), '~'.repeat(255))).status).toBe(200);
});

test('authentication comes before the key', async () => {
  const headers = { 'idempotency-key': 'a b' };
  expect((await on.call('POST', '/v1/campaigns', { json: campaign(), headers })).status).toBe(401);
});

test('a request whose worker died before its answer was kept is 409, and is not carried out again', async () => {
  await post('/v1/campaigns', campaign());
  await on.sql('update idempotency_keys set answer = null');
  expect(await post('/v1/campaigns', campaign())).toMatchObject({
    status: 409,
    json: { code: 'idempotency_in_progress' },
  });
  expect(await campaigns()).toBe(1);
});

test('an answer whose encryption key is gone is 409, not another campaign', async () => {
  await post('/v1/campaigns', campaign());
  const ring = on.env.REFERENCE_KEYS;
  on.env.REFERENCE_KEYS = `2:${'E'.repeat(42)}A`;
  const answer = await post('/v1/campaigns', campaign());
  on.env.REFERENCE_KEYS = ring;
  expect(answer.status).toBe(409);
  expect(await campaigns()).toBe(1);
});
