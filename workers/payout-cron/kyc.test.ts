import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { payout } from './payout.ts';
import { Stage } from './stage.fake.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(inject('postgres'));
});
beforeEach(async () => {
  await stage.reset();
  stage.settings = { ...stage.settings, KYC_YEARLY_LIMIT: '20000.00' };
});
afterAll(() => stage.close());

const amounts = async () => (await stage.payouts()).map(({ amount }) => amount).sort();

it('a shopper without KYC is paid up to the yearly total; the rest waits for the PAN', async () => {
  const shopper = await stage.shopper();
  await stage.reward(shopper, '25000.00');
  await stage.run(payout);
  expect(await amounts()).toEqual(['10000.00', '10000.00']);
  expect(await stage.account(shopper)).toMatchObject({ available: '5000.00', reserved: '0.00' });
  await stage.owner.query(`update users set kyc_hash = '1.hash' where user_id = $1`, [shopper.userId]);
  stage.clock.advance(60_000);
  await stage.run(payout);
  expect(await amounts()).toEqual(['10000.00', '10000.00', '5000.00']);
  expect(await stage.broken()).toEqual([]);
});

it('the total counts over all tenants, also when their payouts are reserved at once', async () => {
  const first = await stage.shopper();
  const second = { ...first, tenantId: await stage.tenant() };
  await stage.reward(first, '15000.00');
  await stage.reward(second, '15000.00');
  await Promise.all(Array.from({ length: 10 }, () => stage.run(payout)));
  for (let minute = 0; minute < 2; minute++) {
    stage.clock.advance(60_000);
    await stage.run(payout);
  }
  const total = (await amounts()).reduce((sum, amount) => sum + Number(amount), 0);
  expect(total).toBe(20_000);
  expect(await stage.broken()).toEqual([]);
});

it('a new financial year begins on 1 April in India', async () => {
  const shopper = await stage.shopper();
  await stage.reward(shopper, '30000.00');
  await stage.run(payout);
  stage.clock.set(Date.parse('2027-03-31T18:29:00Z'));
  expect(await stage.run(payout)).toMatchObject({ reserved: 0 });
  stage.clock.set(Date.parse('2027-03-31T18:30:00Z'));
  expect(await stage.run(payout)).toMatchObject({ reserved: 1 });
  expect(await stage.broken()).toEqual([]);
});

it('what was refused or cancelled does not count', async () => {
  const shopper = await stage.shopper();
  await stage.reward(shopper, '20000.00');
  await stage.fault('agcod', { kind: 'error', errorCode: 'F200', errorType: 'InvalidAmountInput', times: 2 });
  await stage.run(payout);
  await stage.owner.query('update payouts set resolved_at = created_at');
  stage.clock.advance(60_000);
  expect(await stage.run(payout)).toMatchObject({ reserved: 2, paid: 2 });
  expect(await stage.broken()).toEqual([]);
});
