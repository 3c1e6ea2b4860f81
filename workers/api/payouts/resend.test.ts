import type { ResendVoucher, VoucherResent } from '@hissaback/shared/contracts/payout-calls';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';
import { payoutOn } from './payouts.fake.ts';

let on: Stage;
let operator: { user_id: string; token: string };
let asked: ResendVoucher[] = [];
let result: VoucherResent;
beforeAll(async () => {
  on = await stage();
  operator = await on.operator();
  const PAYOUTS = {
    resend: async (request: ResendVoucher) => {
      asked.push(request);
      return result;
    },
  };
  Object.assign(on.env, { PAYOUTS });
});
beforeEach(() => {
  asked = [];
  result = { ok: true };
});
afterAll(() => on.close());

const payoutId = '11111111-1111-4111-8111-111111111111';
const resend = (json: unknown = { reason: 'not arrived' }, token = operator.token) =>
  on.call('POST', `/v1/payouts/${payoutId}/resend`, { token, json });

test('an operator has a voucher’s message sent once more, with a reason', async () => {
  expect(await resend()).toMatchObject({ status: 200, json: { payout_id: payoutId, status: 'sent' } });
  expect(asked).toEqual([{ payoutId, operatorId: operator.user_id, reason: 'not arrived' }]);
  asked = [];
  for (const json of [{}, { reason: ' ' }, { reason: 5 }]) expect((await resend(json)).status).toBe(422);
  for (const token of [(await on.user()).token, (await on.tenant()).token])
    expect((await resend(undefined, token)).status).toBe(403);
  expect(asked).toEqual([]);
});

test.each([
  ['not_found', 404],
  ['not_operator', 403],
  ['wrong_status', 409],
  ['delivered_already', 409],
  ['under_way', 409],
  ['report_awaited', 409],
  ['no_phone', 409],
  ['card_cancelled', 409],
  ['not_sent', 503],
  ['unavailable', 503],
] as const)('%s is %i', async (reason, status) => {
  result = { ok: false, reason };
  expect((await resend()).status).toBe(status);
});

test('operators see what became of a voucher’s message, and find those that did not arrive; shoppers do not', async () => {
  const [{ user_id, token }, { tenant_id }] = [await on.user(), await on.tenant()];
  const [failed, arrived, silent, unsent] = [
    await payoutOn(on, { tenant_id, user_id, status: 'paid' }),
    await payoutOn(on, { tenant_id, user_id, status: 'paid' }),
    await payoutOn(on, { tenant_id, user_id, status: 'paid' }),
    await payoutOn(on, { tenant_id, user_id, status: 'issued' }),
  ];
  const at = new Date(on.clock.now());
  const message = (payout: string, number: number, status: string, delivery: string | null, reason: string | null) =>
    on.sql(
      `insert into voucher_messages (payout_id, number, tenant_id, status, delivery, delivery_reason, delivery_at, begun_at, status_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
      [payout, number, tenant_id, status, delivery, reason, delivery === null ? null : at, at],
    );
  await message(failed, 1, 'accepted', null, null);
  await message(failed, 2, 'accepted', 'failed', 'ABSENT');
  await message(arrived, 1, 'unknown', 'delivered', null);
  await message(arrived, 2, 'accepted', 'failed', 'ABSENT');
  await message(silent, 1, 'accepted', null, null);
  const list = async (query: string, by = operator.token) => {
    const { json } = await on.call('GET', `/v1/payouts?user_id=${user_id}${query}`, { token: by });
    return new Map<string, { operations?: { message: unknown } }>(
      json.map((row: { payout_id: string }) => [row.payout_id, row]),
    );
  };
  const all = await list('');
  const time = at.toISOString();
  expect(all.get(failed)?.operations?.message).toEqual({
    status: 'accepted',
    delivery: 'failed',
    reason: 'ABSENT',
    at: time,
  });
  expect(all.get(arrived)?.operations?.message).toMatchObject({ status: 'unknown', delivery: 'delivered' });
  expect(all.get(unsent)?.operations?.message).toBeNull();
  expect([...(await list('&delivery=failed')).keys()]).toEqual([failed]);
  expect([...(await list('&delivery=delivered')).keys()]).toEqual([arrived]);
  expect([...(await list('&delivery=unreported')).keys()]).toEqual([silent]);
  expect((await on.call('GET', '/v1/payouts?delivery=lost', { token: operator.token })).status).toBe(422);
  for (const row of (await list('', token)).values()) expect(row).not.toHaveProperty('operations');
});
