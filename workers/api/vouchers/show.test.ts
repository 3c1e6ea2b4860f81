import type { ShowVoucher, VoucherShown } from '@hissaback/shared/contracts/payout-calls';
import { type LimitRule, type LimitState, takeLimit } from '@hissaback/shared/domain/limit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
let asked: ShowVoucher[] = [];
let result: VoucherShown;
beforeAll(async () => {
  on = await stage();
  const limits = new Map<string, LimitState>();
  const take = (name: string) => async (rule: LimitRule, now: number) => {
    const { state, ...answer } = takeLimit(limits.get(name) ?? [], rule, now);
    limits.set(name, state);
    return answer;
  };
  Object.assign(on.env, {
    LIMIT: { idFromName: (name: string) => name, get: (name: string) => ({ take: take(name) }) },
    PAYOUTS: {
      voucher: async (request: ShowVoucher) => {
        asked.push(request);
        return result;
      },
    },
  });
});
beforeEach(() => {
  asked = [];
  result = { ok: true, claimCode: 'ABCD-EFGHJK-LMNP', amount: '150.00', currency: 'INR' };
});
afterAll(() => on.close());

const show = (token: string, payoutId = on.uuid(), headers = {}) =>
  on.call('POST', `/v1/payouts/${payoutId}/voucher`, { token, headers });

test('the code is shown to whom the token names, cached nowhere and logged nowhere', async () => {
  const { token, user_id } = await on.user();
  const payoutId = on.uuid();
  const answer = await show(token, payoutId);
  expect(answer).toMatchObject({
    status: 200,
    json: { payout_id: payoutId, claim_code: 'ABCD-EFGHJK-LMNP', amount: '150.00' },
  });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(asked).toEqual([{ payoutId, userId: user_id }]);
  expect(on.logs.join()).not.toContain('ABCD');
});

test('an Idempotency-Key does not keep it', async () => {
  const { token } = await on.user();
  await show(token, on.uuid(), { 'idempotency-key': 'once' });
  expect(await on.sql('select * from idempotency_keys')).toEqual([]);
});

test('three times a day per voucher and person', async () => {
  const [me, other] = [await on.user(), await on.user()];
  const payoutId = on.uuid();
  for (let time = 0; time < 3; time++) expect((await show(me.token, payoutId)).status).toBe(200);
  const refused = await show(me.token, payoutId);
  expect(refused).toMatchObject({ status: 429, json: { code: 'rate_limited' } });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(80_000);
  expect((await show(other.token, payoutId)).status).toBe(200);
  on.clock.advance(86_400_000 + 3_600_000);
  const again = await on.token({ sub: me.user_id, role: 'shopper' });
  expect((await show(again, payoutId)).status).toBe(200);
});

test.each([
  ['not_found', 404],
  ['not_paid', 409],
  ['cancelled', 410],
  ['unavailable', 503],
] as const)('%s is %i', async (reason, status) => {
  result = { ok: false, reason };
  expect((await show((await on.user()).token)).status).toBe(status);
});

test('operators see no codes', async () => {
  expect((await show((await on.operator()).token)).status).toBe(403);
});
