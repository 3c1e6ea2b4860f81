import type { OperatePayout, PayoutOperated } from '@hissaback/shared/contracts/payout-calls';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
let operator: { user_id: string; token: string };
let asked: OperatePayout[] = [];
let result: PayoutOperated;
beforeAll(async () => {
  on = await stage();
  operator = await on.operator();
  const PAYOUTS = {
    operate: async (request: OperatePayout) => {
      asked.push(request);
      return result;
    },
  };
  Object.assign(on.env, { PAYOUTS });
});
beforeEach(() => {
  asked = [];
  result = { ok: true, status: 'held' };
});
afterAll(() => on.close());

const payoutId = '11111111-1111-4111-8111-111111111111';
const operate = (action: string, json: unknown = { reason: 'looks wrong' }, token = operator.token) =>
  on.call('POST', `/v1/payouts/${payoutId}/${action}`, { token, json });

test.each(['hold', 'release', 'cancel', 'retry', 'resolve'])(
  '%s is passed on with operator and reason',
  async (action) => {
    expect(await operate(action)).toMatchObject({ status: 200, json: { payout_id: payoutId, status: 'held' } });
    expect(asked).toEqual([{ payoutId, action, operatorId: operator.user_id, reason: 'looks wrong' }]);
  },
);

test('without a reason nothing is done', async () => {
  for (const json of [{}, { reason: ' ' }, { reason: 'x' }, { reason: 5 }]) {
    expect((await operate('hold', json)).status).toBe(422);
  }
  expect(asked).toEqual([]);
});

test('for operators only, by the table', async () => {
  const former = await on.operator();
  await on.sql('delete from operators where user_id = $1', [former.user_id]);
  const tokens = [(await on.user()).token, (await on.tenant()).token, former.token];
  for (const token of tokens) expect((await operate('cancel', { reason: 'mine please' }, token)).status).toBe(403);
  expect((await on.call('POST', `/v1/payouts/${payoutId}/hold`, { json: { reason: 'a reason' } })).status).toBe(401);
  expect(asked).toEqual([]);
});

test.each([
  ['not_found', 404, 'not_found'],
  ['not_operator', 403, 'forbidden'],
  ['wrong_status', 409, 'conflict'],
  ['card_may_exist', 409, 'conflict'],
  ['too_late', 409, 'conflict'],
  ['amazon_refused', 409, 'conflict'],
  ['unknown_outcome', 503, 'unavailable'],
  ['unavailable', 503, 'unavailable'],
] as const)('%s is %i %s', async (reason, status, code) => {
  result = { ok: false, reason };
  expect(await operate('cancel')).toMatchObject({ status, json: { code } });
});

test('there is no other action', async () => {
  expect((await operate('pay')).status).toBe(404);
});
