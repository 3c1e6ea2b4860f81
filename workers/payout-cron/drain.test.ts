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

it('300 due payouts drain without a human, at the pace that AGCOD allows, run by run', {
  timeout: 120_000,
}, async () => {
  const tenantId = await stage.tenant();
  await stage.manyRewards(tenantId, PAYEES, '150.00');
  let runs = 0;
  let paid = 0;
  while (paid < PAYEES && runs < 10) {
    runs += 1;
    const started = stage.clock.now();
    const counts = await stage.run(payout);
    paid += counts.paid;
    // A run ends by itself: it takes up nothing new after its time.
    expect(stage.clock.now() - started).toBeLessThan(60_000);
    stage.clock.set(Math.max(stage.clock.now(), started + 60_000));
  }
  expect(paid).toBe(PAYEES);
  const payouts = await stage.payouts();
  expect(payouts.filter(({ status, attempts }) => status !== 'paid' || attempts !== 1)).toEqual([]);
  expect(await stage.cards()).toHaveLength(PAYEES);
  // On a clock that others move a call may land early: it is throttled, and no attempt.
  const outcomes = (await stage.calls()).map(({ outcome }) => outcome);
  expect(outcomes.filter((outcome) => outcome === 'SUCCESS')).toHaveLength(PAYEES);
  expect(outcomes.filter((outcome) => outcome !== 'SUCCESS' && outcome !== 'ThrottlingException')).toEqual([]);
  expect(await stage.broken()).toEqual([]);
});
