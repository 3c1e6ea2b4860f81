import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { payout } from './payout.ts';
import { Stage } from './stage.fake.ts';

const PAYEES = 300;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(inject('postgres'), { callsPerSecond: 10 });
  await stage.reset();
});
afterAll(() => stage.close());

it('300 due payouts drain without a human, at the pace that AGCOD allows, run by run, over an account that is empty for a while (fault 25)', {
  timeout: 120_000,
}, async () => {
  const tenantId = await stage.tenant();
  await stage.manyRewards(tenantId, PAYEES, '150.00');
  await stage.control('agcod', 'funds', { amount: '15000.00' });
  let paid = 0;
  async function runOnce(): Promise<void> {
    const started = stage.clock.now();
    paid += (await stage.run(payout)).paid;
    // A run ends by itself: it takes up nothing new after its time.
    expect(stage.clock.now() - started).toBeLessThan(60_000);
    stage.clock.set(Math.max(stage.clock.now(), started + 60_000));
  }
  for (let run = 0; run < 4; run++) await runOnce();
  expect(paid).toBe(100);
  const waiting = (await stage.payouts()).filter(({ status }) => status !== 'paid');
  expect(waiting).toHaveLength(PAYEES - 100);
  // On a clock that others move a call may land early: it is throttled, and no attempt.
  const isUntouched = (row: (typeof waiting)[number]) => ['queued', 'held'].includes(row.status) || row.attempts === 0;
  expect(waiting.filter((row) => !isUntouched(row))).toEqual([]);
  const refused = (await stage.calls()).filter(({ outcome }) => outcome.includes('InsufficientFunds')).length;
  // A call for each lane at most, until the breaker was known to be open.
  expect(refused).toBeGreaterThan(0);
  expect(refused).toBeLessThanOrEqual(4);
  expect(await stage.broken()).toEqual([]);
  await stage.control('agcod', 'funds', { amount: '1000000.00' });
  for (let run = 0; paid < PAYEES && run < 12; run++) await runOnce();
  expect(paid).toBe(PAYEES);
  const payouts = await stage.payouts();
  expect(payouts.filter(({ status }) => status !== 'paid')).toEqual([]);
  expect(new Set((await stage.calls()).map((call) => call.creationRequestId)).size).toBe(PAYEES);
  expect(await stage.cards()).toHaveLength(PAYEES);
  const outcomes = (await stage.calls()).map(({ outcome }) => outcome);
  expect(outcomes.filter((outcome) => outcome === 'SUCCESS')).toHaveLength(PAYEES);
  expect(await stage.broken()).toEqual([]);
});
