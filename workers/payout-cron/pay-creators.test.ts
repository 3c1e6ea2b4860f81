import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { payout } from './payout.ts';
import { type Shopper, Stage } from './stage.fake.ts';

let stage: Stage;
let shopper: Shopper;
let owner: Shopper;
beforeAll(async () => {
  stage = await Stage.open(inject('postgres'));
});
beforeEach(async () => {
  await stage.reset();
  shopper = await stage.shopper();
  owner = await stage.ownerOf(shopper.tenantId);
  // The first run begins the first period.
  await stage.run(payout);
});
afterAll(() => stage.close());

const at = (text: string) => stage.clock.set(Date.parse(text));
const creator = () => stage.creator(shopper.tenantId);
const FIRST = '2026-11-30T18:30:00Z';

describe('a creator’s earnings', () => {
  it('are paid on the first of the month in India, to the tenant’s oldest owner, once a month', async () => {
    await stage.ownerOf(shopper.tenantId, '2026-11-11T00:00:00Z');
    await stage.earning(shopper, '700.00');
    at('2026-11-30T18:29:00Z');
    expect(await stage.run(payout)).toMatchObject({ reserved: 0 });
    at(FIRST);
    expect(await stage.run(payout)).toMatchObject({ reserved: 1, paid: 1 });
    expect(await stage.onlyPayout()).toMatchObject({ payee: shopper.tenantId, amount: '700.00', status: 'paid' });
    expect(await stage.messages(owner)).toHaveLength(1);
    expect(await creator()).toEqual({ available: '0.00', reserved: '0.00', receivable: '0.00' });
    expect(await stage.broken()).toEqual([]);
    await stage.earning(shopper, '900.00');
    at('2026-12-31T18:29:00Z');
    expect(await stage.run(payout)).toMatchObject({ reserved: 0 });
    at('2026-12-31T18:30:00Z');
    expect(await stage.run(payout)).toMatchObject({ reserved: 1 });
    expect(await stage.broken()).toEqual([]);
  });

  it('are cut into cards (money rule 13), stand on the creator’s side of the rewards, and leave the shopper’s side alone (money rule 12)', async () => {
    await stage.earning(shopper, '15000.00');
    const conv = await stage.earning(shopper, '8000.40');
    at(FIRST);
    await stage.run(payout);
    expect((await stage.payouts()).map(({ amount }) => amount).sort()).toEqual(['10000.00', '10000.00', '3000.00']);
    expect(await creator()).toMatchObject({ available: '0.40' });
    const { rows } = await stage.owner.query('select distinct side from payout_items');
    expect(rows).toEqual([{ side: 'creator' }]);
    expect(await stage.ledgerStatuses(conv)).toEqual(['confirmed']);
    expect(await stage.broken()).toEqual([]);
  });

  it('below the creators’ own minimum wait for the next month', async () => {
    await stage.earning(shopper, '499.99');
    at(FIRST);
    expect(await stage.run(payout)).toMatchObject({ reserved: 0 });
    await stage.earning(shopper, '100.00');
    at('2026-12-15T00:00:00Z');
    expect(await stage.run(payout)).toMatchObject({ reserved: 0 });
    at('2026-12-31T18:30:00Z');
    expect(await stage.run(payout)).toMatchObject({ reserved: 1 });
  });

  it('of a tenant without an owner that can be reached wait', async () => {
    await stage.earning(shopper, '700.00');
    await stage.owner.query('update users set phone = null where user_id = $1', [owner.userId]);
    at(FIRST);
    expect(await stage.run(payout)).toMatchObject({ reserved: 0, failed: 0 });
  });

  it('are paid when the switch that stopped them is cleared', async () => {
    await stage.earning(shopper, '700.00');
    const operator = await stage.operator();
    await stage.owner.query(
      `insert into kill_switches (switch_id, scope, reason, thrown_at, thrown_by) values (gen_random_uuid(), 'payouts', 'test', now(), $1)`,
      [operator],
    );
    at(FIRST);
    expect(await stage.run(payout)).toMatchObject({ reserved: 0 });
    await stage.owner.query('update kill_switches set cleared_at = now(), cleared_by = thrown_by');
    at('2026-12-02T00:00:00Z');
    expect(await stage.run(payout)).toMatchObject({ reserved: 1, paid: 1 });
  });

  it('twenty runs at once pay them once', async () => {
    await stage.earning(shopper, '700.00');
    at(FIRST);
    await Promise.all(Array.from({ length: 20 }, () => stage.run(payout)));
    await stage.run(payout);
    expect(await stage.onlyPayout()).toMatchObject({ amount: '700.00' });
    expect(await stage.cards()).toHaveLength(1);
    expect(await stage.broken()).toEqual([]);
  });
});
