import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../../tests/support/two-tenants.ts';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
let token: string;
beforeAll(async () => {
  on = await stage();
  ({ token } = await on.operator());
});
afterAll(() => on.close());

async function kept(change: { reason?: string; raw?: Record<string, string>; source?: string } = {}): Promise<string> {
  const unmatched_id = String(newId());
  const raw = { offer_id: '7', sale_amount: '1000.00', status: 'approved', currency: 'USD', ...change.raw };
  await on.sql(
    `insert into unmatched_conversions (unmatched_id, reason, raw, source, received_at) values ($1, $2, $3, $4, id_time($1))`,
    [unmatched_id, change.reason ?? 'unknown_click', JSON.stringify(raw), change.source ?? 'postback'],
  );
  return unmatched_id;
}
const act = (id: string, verb: string, json: unknown) =>
  on.call('POST', `/v1/unmatched/${id}/${verb}`, { token, json });
const audited = (id: string) =>
  on.sql('select action, reason, details from audit_log where subject = $1', [`unmatched:${id}`]);

describe('GET /v1/unmatched', () => {
  test('shows what the network said, a foreign currency with its amount, newest first and by reason', async () => {
    const ids = [await kept({ reason: 'foreign_currency' }), await kept({ reason: 'foreign_currency' })];
    await kept();
    const first = await on.call('GET', '/v1/unmatched?reason=foreign_currency&limit=1', { token });
    expect(first.json).toMatchObject([
      { unmatched_id: ids[1], reason: 'foreign_currency', amount: '1000.00', currency: 'USD', status: 'open' },
    ]);
    const next = /^<https:\/\/[^/]+([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect((await on.call('GET', next, { token })).json).toMatchObject([{ unmatched_id: ids[0] }]);
  });
});

describe('POST /v1/unmatched/:unmatched_id/assign', () => {
  test('gives it a click that there is, and sends it to the ledger consumer under its own id', async () => {
    const id = await kept();
    const { tenant_id } = await on.tenant();
    const click_id = String(newId());
    await on.sql(
      `insert into clicks (click_id, created_at, tenant_id, link_id, source) values ($1, id_time($1), $2, $3, 'edge')`,
      [click_id, tenant_id, await on.link(tenant_id)],
    );
    const answer = await act(id, 'assign', { click_id, reason: 'Found in the logs' });
    expect(answer.json).toMatchObject({
      unmatched_id: id,
      status: 'open',
      assigned_at: new Date(on.clock.now()).toISOString(),
    });
    expect(on.postbacks.at(-1)).toMatchObject({
      kind: 'event',
      postback_id: id,
      source: 'operator',
      raw: { click_id, offer_id: '7', currency: 'USD' },
    });
    expect(await audited(id)).toEqual([
      { action: 'unmatched.assigned', reason: 'Found in the logs', details: { click_id } },
    ]);
  });

  test('makes a click on a link by a reference of ours, in the form of the network’s list, and keeps it if the queue refuses', async () => {
    const id = await kept({ source: 'poll', raw: { campaign_id: '7', payout: '10' } });
    const { user_id } = await on.user();
    const link_id = await on.link((await on.tenant()).tenant_id);
    on.failing.queue = 1;
    const answer = await act(id, 'assign', { link_id, user_id, payout: '12.50', reason: 'Called the network' });
    expect(answer.status, answer.text).toBe(200);
    const [row] = await on.sql<{ assignment: Record<string, string> }>(
      'select assignment from unmatched_conversions where unmatched_id = $1',
      [id],
    );
    expect(row?.assignment).toMatchObject({ payout: '12.50' });
    expect(row?.assignment.click).toHaveLength(76);
    // A reference of ours is as good as a click's number, whether the click has a row or not; one that is not ours is none.
    const click_id = row?.assignment.click ?? '';
    const other = await kept();
    expect((await act(other, 'assign', { click_id, reason: 'From the merchant' })).status).toBe(200);
    expect(on.postbacks.at(-1)).toMatchObject({ postback_id: other, raw: { click_id } });
    const forged = `${click_id.slice(0, -1)}${click_id.endsWith('A') ? 'B' : 'A'}`;
    expect((await act(await kept(), 'assign', { click_id: forged, reason: 'From the merchant' })).status).toBe(422);
  });

  test.each([
    ['neither click nor link', {}],
    ['both', { click_id: '1', link_id: '0f0e0d0c-0b0a-4908-8706-050403020100' }],
    ['a click that there is not', { click_id: '12345' }],
    ['a shopper for a click', { click_id: '12345', user_id: '0f0e0d0c-0b0a-4908-8706-050403020100' }],
    ['a link that there is not', { link_id: '0f0e0d0c-0b0a-4908-8706-050403020100' }],
    ['an amount of words', { click_id: '1', sale_amount: 'ten' }],
  ])('refuses %s', async (_, body) => {
    expect((await act(await kept(), 'assign', { ...body, reason: 'Trying' })).status).toBe(422);
  });

  test('refuses words that are no conversion even so, until they are put right', async () => {
    const id = await kept({ raw: { sale_amount: '{sale_amount}' } });
    const link_id = await on.link((await on.tenant()).tenant_id);
    const refused = await act(id, 'assign', { link_id, reason: 'Trying' });
    expect(refused).toMatchObject({
      status: 422,
      json: { detail: expect.stringContaining('unsubstituted_macro'), errors: [{ field: 'sale_amount' }] },
    });
    expect((await act(id, 'assign', { link_id, sale_amount: '10.00', reason: 'Trying' })).status).toBe(200);
  });
});

test('an amount or currency that is none is not shown as one', async () => {
  const id = await kept({ raw: { sale_amount: '{sale_amount}', payout: ' 12.50 ', currency: '{currency}' } });
  const { json } = await on.call('GET', '/v1/unmatched?limit=1', { token });
  expect(json).toMatchObject([{ unmatched_id: id, amount: '12.50', currency: null }]);
});

test('a postback with another offer’s number, and macros for what it may lack, can be put right', async () => {
  const id = await kept({ raw: { offer_id: '{offer_id}', currency: 'INR', country: '{country}', payout: '' } });
  const link_id = await on.link((await on.tenant()).tenant_id);
  const refused = await act(id, 'assign', { link_id, reason: 'Trying' });
  expect(refused).toMatchObject({ status: 422, json: { errors: [{ field: 'offer_id' }] } });
  expect((await act(id, 'assign', { link_id, offer_id: 7, reason: 'Read by a person' })).status).toBe(200);
  const sent = on.postbacks.at(-1) as { raw: Record<string, string> };
  expect(sent.raw).toMatchObject({ offer_id: '7', sale_amount: '1000.00', status: 'approved', currency: 'INR' });
  expect(Object.keys(sent.raw)).not.toContain('country');
});

describe('POST /v1/unmatched/:unmatched_id/dismiss', () => {
  test('puts it aside with a reason, once', async () => {
    const id = await kept();
    expect(await act(id, 'dismiss', { reason: 'A test of the network' })).toMatchObject({
      status: 200,
      json: { status: 'dismissed', resolution: 'A test of the network' },
    });
    expect(await audited(id)).toEqual([
      { action: 'unmatched.dismissed', reason: 'A test of the network', details: {} },
    ]);
    expect((await act(id, 'dismiss', { reason: 'Again' })).status).toBe(409);
    expect((await act(id, 'assign', { click_id: '1', reason: 'Too late' })).status).toBe(409);
  });

  test.each(['1', '0', '9223372036854775808', 'x'])('of %s is 404', async (id) => {
    expect((await act(id, 'dismiss', { reason: 'Nobody’s' })).status).toBe(404);
  });
});
