import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { fixedClock, seededRandom } from '../../packages/shared/domain/chance.fake.ts';
import { createTestDatabase, onServer, type TestDatabase } from '../../tests/support/postgres.ts';
import { seed, type TwoTenants, twoTenants } from '../../tests/support/two-tenants.ts';
import { createApp } from './app.ts';

const TOKEN = 'a-token-that-nobody-guesses';
const PATH = '/v1/events/sms';

let database: TestDatabase;
let world: TwoTenants;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  world = twoTenants();
  await onServer(database.owner, (client) => seed(client, world));
});
afterAll(() => database.drop());

const app = createApp({ clock: fixedClock('2026-11-10T06:00:00Z'), random: seededRandom(1), fetch });

async function send(
  body: string,
  { query = `?token=${TOKEN}`, type = 'application/json', method = 'POST', headers = {}, port = 0 } = {},
) {
  const connectionString = port === 0 ? database.webhook : `postgres://x:x@127.0.0.1:${port}/x`;
  const env = { SMS_REPORT_TOKENS: `old,${TOKEN}`, DB: { connectionString } } as unknown as WebhookEnv;
  const request = { method, headers: { 'content-type': type, ...headers }, ...(method === 'POST' && { body }) };
  const answer = await app.request(`https://hissaback.test${PATH}${query}`, request, env);
  const text = await answer.text();
  return { status: answer.status, text, json: text.startsWith('{') ? JSON.parse(text) : null };
}

const payoutOf = (index: number): string =>
  String(world.rows.filter(({ table }) => table === 'voucher_messages')[index]?.row.payout_id);
async function deliveryOf(payoutId: string): Promise<unknown> {
  return onServer(database.owner, async (client) => {
    const { rows } = await client.query('select delivery from voucher_messages where payout_id = $1', [payoutId]);
    return rows[0]?.delivery;
  });
}
const report = (payoutId: string, status = '1') => ({
  requestId: 'r',
  CRQID: `${payoutId}-1`,
  status,
  number: '919812345678',
});

describe('who may report', () => {
  test.each([
    ['no token', { query: '' }],
    ['an empty one', { query: '?token=' }],
    ['a wrong one', { query: '?token=wrong' }],
    ['one character more', { query: `?token=${TOKEN}x` }],
    ['a wrong header beside the right address', { headers: { 'x-hissaback-token': 'wrong' } }],
  ])('%s: 401, and nothing changes', async (_, ask) => {
    const answer = await send(JSON.stringify(report(payoutOf(0))), ask);
    expect([answer.status, answer.json.code]).toEqual([401, 'unauthenticated']);
    expect(answer.text).not.toContain(TOKEN);
    expect(await deliveryOf(payoutOf(0))).toBeNull();
  });

  test('without any token configured nobody', async () => {
    const env = { SMS_REPORT_TOKENS: '', DB: { connectionString: database.webhook } } as unknown as WebhookEnv;
    const answer = await app.request(`https://hissaback.test${PATH}?token=`, { method: 'POST', body: '{}' }, env);
    expect(answer.status).toBe(401);
  });

  test.each(['GET', 'HEAD', 'PUT', 'DELETE'])('%s is 405', async (method) =>
    expect((await send('', { method })).status).toBe(405),
  );
});

describe('what is reported', () => {
  test('as a form, with the token in the address', async () => {
    const data = JSON.stringify([{ requestId: 'r', report: [report(payoutOf(0))] }]);
    const body = new URLSearchParams({ data }).toString();
    expect(await send(body, { type: 'application/x-www-form-urlencoded' })).toMatchObject({
      status: 200,
      json: { status: 'ok' },
    });
    expect(await deliveryOf(payoutOf(0))).toBe('delivered');
  });

  test('as JSON, with the token in the header or an older token; twice is as once; nothing but the outcome is logged', async () => {
    const written = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const body = JSON.stringify([report(payoutOf(1), '2'), report(payoutOf(2), '1')]);
    expect((await send(body, { query: '', headers: { 'x-hissaback-token': TOKEN } })).status).toBe(200);
    expect((await send(body, { query: '?token=old' })).status).toBe(200);
    const lines = JSON.stringify(written.mock.calls);
    vi.restoreAllMocks();
    expect([await deliveryOf(payoutOf(1)), await deliveryOf(payoutOf(2))]).toEqual(['failed', 'delivered']);
    expect(lines).toContain('sms_reports_taken');
    expect(lines).not.toContain('9812345678');
    expect(lines).not.toContain(TOKEN);
  });

  test('about nothing of ours: 200', async () => {
    for (const body of [{ requestId: 'nobody', status: '1' }, { CRQID: 'otp-1', status: '1' }, {}, [], null, 'x', 1])
      expect((await send(JSON.stringify(body))).status).toBe(200);
    expect(await deliveryOf(payoutOf(3))).toBeNull();
  });

  test.each([
    ['no JSON', '{"a"', 'application/json', 400, 'malformed_json'],
    ['another type', '<xml/>', 'text/xml', 415, 'unsupported_media_type'],
    ['a body too large', `"${'x'.repeat(300_000)}"`, 'application/json', 413, 'body_too_large'],
    [
      'too many reports',
      JSON.stringify(Array(1_001).fill({ requestId: 'r', status: '1' })),
      'application/json',
      413,
      'body_too_large',
    ],
  ])('%s is refused', async (_, body, type, status, code) => {
    const answer = await send(body, { type });
    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });

  test.each([
    `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
    '{"__proto__":{"status":"1"},"requestId":"r"}',
    JSON.stringify({ requestId: "'; drop table payouts; --", status: '1' }),
    JSON.stringify({ requestId: 'r\u0000', CRQID: '\ud800', status: '1', desc: '\u0000' }),
    JSON.stringify({ CRQID: '11111111-1111-4111-8111-111111111111-2147483648', status: '1' }),
    JSON.stringify({ requestId: 'r', status: '2', failedReason: `\u0000${'9'.repeat(90_000)}` }),
  ])('hostile input is no error of ours (%#)', async (body) => expect((await send(body)).status).toBeLessThan(500));

  test('while the database is away: 503, so that it is sent again', async () => {
    const answer = await send(JSON.stringify(report(payoutOf(3))), { port: 1 });
    expect([answer.status, answer.json.code]).toEqual([503, 'unavailable']);
    expect(answer.text).not.toMatch(/postgres|127\.0\.0\.1/);
  });
});
