import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { payout } from './payout.ts';
import { reserveAll } from './reserve.ts';
import { beginRun, noCounts } from './run.ts';
import { type Shopper, Stage } from './stage.fake.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(inject('postgres'));
});
beforeEach(() => stage.reset());
afterAll(() => stage.close());

async function reserveOnce(changes: Parameters<Stage['deps']>[0] = {}) {
  return stage.run(async (deps) => {
    const counts = noCounts();
    await reserveAll(beginRun(deps), counts);
    return counts;
  }, changes);
}

describe('reservation', () => {
  it('takes whole steps of what is available into one queued payout, and the rest stays', async () => {
    const shopper = await stage.shopper();
    await stage.reward(shopper, '70.40');
    await stage.reward(shopper, '80.25');
    expect(await reserveOnce()).toMatchObject({ reserved: 1, failed: 0 });
    const row = await stage.onlyPayout();
    expect(row).toMatchObject({ status: 'queued', amount: '150.00', attempts: 0, card_may_exist: false });
    expect(row.creation_request_id).toMatch(/^Hissa[0-9A-Z]{25}$/);
    expect(await stage.account(shopper)).toEqual({ available: '0.65', reserved: '150.00', receivable: '0.00' });
    expect(await stage.broken()).toEqual([]);
  });

  it('splits above the largest card, a row for each, and says what each pays', async () => {
    const shopper = await stage.shopper();
    await stage.reward(shopper, '15000.00');
    await stage.reward(shopper, '10000.50');
    expect(await reserveOnce()).toMatchObject({ reserved: 3 });
    expect((await stage.payouts()).map(({ amount }) => amount).sort()).toEqual(['10000.00', '10000.00', '5000.00']);
    expect(await stage.broken()).toEqual([]);
  });

  it('never pays what an amendment took away', async () => {
    const shopper = await stage.shopper();
    await stage.reward(shopper, '300.00', '-120.00');
    await reserveOnce();
    expect(await stage.onlyPayout()).toMatchObject({ amount: '180.00' });
    expect(await stage.broken()).toEqual([]);
  });

  it('passes by whoever may not be paid: below the minimum, tenant suspended, no phone', async () => {
    await stage.reward(await stage.shopper(), '99.99');
    const suspended = await stage.shopper();
    await stage.reward(suspended, '500.00');
    await stage.owner.query(`update tenants set status = 'suspended' where tenant_id = $1`, [suspended.tenantId]);
    const silent = await stage.shopper();
    await stage.reward(silent, '500.00');
    await stage.owner.query('update users set phone = null where user_id = $1', [silent.userId]);
    expect(await reserveOnce()).toMatchObject({ reserved: 0, failed: 0 });
  });

  it('fails loudly, for that payee alone, when the balance is larger than the rewards behind it', async () => {
    const wrong = await stage.shopper();
    await stage.reward(wrong, '500.00');
    await stage.owner.query('update payee_accounts set available = 600 where payee = $1', [wrong.userId]);
    const right = await stage.shopper();
    await stage.reward(right, '200.00');
    expect(await reserveOnce()).toMatchObject({ reserved: 1, failed: 1 });
    expect(await stage.onlyPayout()).toMatchObject({ payee: right.userId });
    expect(await stage.pages()).toMatchObject([{ dedup_key: `reservation:${wrong.tenantId}:${wrong.userId}` }]);
  });
});

describe('fault 17: fifty runs at once over the same balances', () => {
  it('reserve each balance once and buy one card a payout', async () => {
    const tenantId = await stage.tenant();
    const shoppers: Shopper[] = [];
    for (let index = 0; index < 6; index++) {
      const shopper = await stage.shopper({ tenantId });
      await stage.reward(shopper, '250.00');
      shoppers.push(shopper);
    }
    const runs = await Promise.all(Array.from({ length: 50 }, () => stage.run(payout)));
    expect(runs.reduce((sum, run) => sum + run.reserved, 0)).toBe(6);
    stage.clock.advance(60_000);
    await stage.run(payout);
    const payouts = await stage.payouts();
    expect(payouts.map(({ status }) => status)).toEqual(Array(6).fill('paid'));
    expect(await stage.cards()).toHaveLength(6);
    for (const shopper of shoppers) expect(await stage.messages(shopper)).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });
});

describe('settings are checked before anything is reserved', () => {
  it.each([
    ['AGCOD_PARTNER_ID', 'P'.repeat(16)],
    ['AGCOD_PARTNER_ID', ''],
    ['AGCOD_ENDPOINT', ''],
    ['VOUCHER_STEP', '0'],
    ['VOUCHER_KEYS', '1:short'],
    ['PAYOUT_RUN_SECONDS', 'soon'],
  ] as const)('%s = %j', async (name, value) => {
    const settings = { ...stage.settings, [name]: value };
    await expect(stage.run(payout, { settings })).rejects.toThrow(name);
  });
});
