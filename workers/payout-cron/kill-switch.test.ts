import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { payout } from './payout.ts';
import { reserveAll } from './reserve.ts';
import { beginRun, noCounts } from './run.ts';
import { type Shopper, Stage } from './stage.fake.ts';

let stage: Stage;
let operator: string;
beforeAll(async () => {
  stage = await Stage.open(inject('postgres'));
});
beforeEach(async () => {
  await stage.reset();
  operator = await stage.operator();
});
afterAll(() => stage.close());

async function throwSwitch(tenantId: string | null = null): Promise<void> {
  await stage.owner.query(
    `insert into kill_switches (switch_id, scope, tenant_id, reason, thrown_at, thrown_by) values (gen_random_uuid(), 'payouts', $1, 'test', $2, $3)`,
    [tenantId, new Date(stage.clock.now()), operator],
  );
}

const clear = () => stage.owner.query('update kill_switches set cleared_at = thrown_at, cleared_by = thrown_by');

async function shopperWith(amount: string, tenantId?: string): Promise<Shopper> {
  const shopper = await stage.shopper(tenantId === undefined ? {} : { tenantId });
  await stage.reward(shopper, amount);
  return shopper;
}

describe('a kill switch for payouts', () => {
  it('thrown for all: nothing is reserved, asked for or delivered; cleared, everything goes on with its own id', async () => {
    await shopperWith('500.00');
    await stage.run((deps) => reserveAll(beginRun(deps), noCounts()));
    await shopperWith('300.00');
    await throwSwitch();
    expect(await stage.run(payout)).toMatchObject({ reserved: 0, issued: 0, paid: 0 });
    expect(await stage.calls()).toEqual([]);
    await clear();
    stage.clock.advance(60_000);
    expect(await stage.run(payout)).toMatchObject({ reserved: 1, paid: 2 });
    expect(await stage.broken()).toEqual([]);
  });

  it('thrown for one tenant stops that one only', async () => {
    const stopped = await shopperWith('500.00');
    const other = await shopperWith('300.00');
    await throwSwitch(stopped.tenantId);
    await stage.run(payout);
    expect((await stage.payouts()).map(({ payee }) => payee)).toEqual([other.userId]);
  });

  it('thrown in the middle of a run: no further call is made', async () => {
    for (let index = 0; index < 12; index++) await shopperWith('200.00');
    let calls = 0;
    await stage.run(payout, {
      fetch: async (input, init) => {
        if (String(input).endsWith('/CreateGiftCard')) {
          calls += 1;
          if (calls === 1) await throwSwitch();
        }
        return fetch(input, init);
      },
    });
    // The four lanes may each have begun a call before the switch was committed.
    expect(calls).toBeLessThanOrEqual(4);
    expect(await stage.messages({ tenantId: '', userId: '', phone: '+910000000000' })).toEqual([]);
    expect((await stage.payouts()).filter(({ status }) => status === 'queued').length).toBeGreaterThanOrEqual(8);
    expect(await stage.broken()).toEqual([]);
    await clear();
    for (let minute = 0; minute < 3; minute++) {
      stage.clock.advance(60_000);
      await stage.run(payout);
    }
    expect((await stage.payouts()).every(({ status }) => status === 'paid')).toBe(true);
    expect(await stage.cards()).toHaveLength(12);
    expect(await stage.broken()).toEqual([]);
  });

  it('keeps a voucher that is bought from being delivered', async () => {
    const shopper = await shopperWith('500.00');
    await stage.fault('sms', { kind: 'error' });
    await stage.run(payout);
    await throwSwitch(shopper.tenantId);
    stage.clock.advance(3_600_000);
    await stage.run(payout);
    expect(await stage.messages(shopper)).toEqual([]);
    expect(await stage.onlyPayout()).toMatchObject({ status: 'issued' });
  });
});
