import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
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

describe('a creator’s yearly total without KYC', () => {
  const FIRST = '2026-11-30T18:30:00Z';
  const at = (text: string) => stage.clock.set(Date.parse(text));
  const holds = async () => (await stage.owner.query('select tenant_id from creator_kyc_holds')).rows.length;
  const givePan = (userId: string) =>
    stage.owner.query(`update users set kyc_hash = '1.hash' where user_id = $1`, [userId]);
  beforeEach(async () => {
    stage.settings = { ...stage.settings, CREATOR_KYC_YEARLY_LIMIT: '20000.00' };
    await stage.run(payout);
  });

  it('what fits is paid on the day; the rest waits for the owner’s PAN and is paid as soon as that is given, on any day', async () => {
    const shopper = await stage.shopper();
    const owner = await stage.ownerOf(shopper.tenantId);
    await stage.earning(shopper, '25000.00');
    at(FIRST);
    await stage.run(payout);
    expect(await amounts()).toEqual(['10000.00', '10000.00']);
    expect(await stage.creator(shopper.tenantId)).toMatchObject({ available: '5000.00', reserved: '0.00' });
    expect(await holds()).toBe(1);
    at('2026-12-09T10:00:00Z');
    expect(await stage.run(payout)).toMatchObject({ reserved: 0 });
    await givePan(owner.userId);
    stage.clock.advance(60_000);
    await Promise.all(Array.from({ length: 10 }, () => stage.run(payout)));
    stage.clock.advance(60_000);
    await stage.run(payout);
    expect(await amounts()).toEqual(['10000.00', '10000.00', '5000.00']);
    expect(await holds()).toBe(0);
    // The next round is the next month's, as for everybody.
    await stage.earning(shopper, '900.00');
    expect(await stage.run(payout)).toMatchObject({ reserved: 0 });
    at('2026-12-31T18:30:00Z');
    expect(await stage.run(payout)).toMatchObject({ reserved: 1 });
    expect(await stage.broken()).toEqual([]);
  });

  it('counts over all tenants of one owner, also when they are reserved at once, and beside what the person is paid as a shopper', async () => {
    const [first, second] = [await stage.shopper(), await stage.shopper()];
    const owner = await stage.ownerOf(first.tenantId);
    await stage.owner.query(
      `insert into tenant_members (tenant_id, user_id, role, created_at) select $1, $2, 'owner', created_at from users where user_id = $2`,
      [second.tenantId, owner.userId],
    );
    await stage.reward(owner, '900.00');
    for (const each of [first, second]) await stage.earning(each, '15000.00');
    at(FIRST);
    await Promise.all(Array.from({ length: 10 }, () => stage.run(payout)));
    for (let minute = 0; minute < 2; minute++) {
      stage.clock.advance(60_000);
      await stage.run(payout);
    }
    const paid = await stage.owner.query('select side, sum(amount) as amount from payouts group by side order by side');
    expect(paid.rows).toEqual([
      { side: 'creator', amount: '20000.00' },
      { side: 'shopper', amount: '900.00' },
    ]);
    expect(await holds()).toBe(1);
    expect(await stage.broken()).toEqual([]);
  });

  it('is no matter to an owner whose PAN is known, nor where no limit is set; a kill switch keeps what waits', async () => {
    const [known, waiting] = [await stage.shopper(), await stage.shopper()];
    await givePan((await stage.ownerOf(known.tenantId)).userId);
    const owner = await stage.ownerOf(waiting.tenantId);
    for (const each of [known, waiting]) await stage.earning(each, '21000.00');
    at(FIRST);
    await stage.run(payout);
    expect(await stage.creator(known.tenantId)).toMatchObject({ available: '0.00' });
    expect(await stage.creator(waiting.tenantId)).toMatchObject({ available: '1000.00' });
    await stage.owner.query(
      `insert into kill_switches (switch_id, scope, tenant_id, reason, thrown_at, thrown_by) values (gen_random_uuid(), 'payouts', $1, 'test', now(), $2)`,
      [waiting.tenantId, await stage.operator()],
    );
    await givePan(owner.userId);
    stage.clock.advance(60_000);
    expect(await stage.run(payout)).toMatchObject({ reserved: 0 });
    expect(await holds()).toBe(1);
    await stage.owner.query('update kill_switches set cleared_at = now(), cleared_by = thrown_by');
    await stage.owner.query('update users set kyc_hash = null');
    stage.settings = { ...stage.settings, CREATOR_KYC_YEARLY_LIMIT: '' };
    expect(await stage.run(payout)).toMatchObject({ reserved: 1 });
    expect(await holds()).toBe(0);
    expect(await stage.broken()).toEqual([]);
  });
});
