import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { PayoutDeps } from './deps.ts';
import { operatePayout } from './operate.ts';
import { payout } from './payout.ts';
import { type Shopper, Stage } from './stage.fake.ts';

const MINUTE = 60_000;
/** A run has a few dozen; more means that it never ends. */
const MOST_POINTS = 200;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(inject('postgres'));
});
beforeEach(() => stage.reset());
afterAll(() => stage.close());

/** A worker that dies behind its `last`-th effect on the world: that one has happened, nothing after it does. */
class Mortal {
  readonly #last: number;
  #done = 0;

  constructor(last: number) {
    this.#last = last;
  }

  get isDead(): boolean {
    return this.#done >= this.#last;
  }

  deps({ db, fetch, gate, evidence, sleep, ...rest }: PayoutDeps): PayoutDeps {
    const effect = async <Answer>(act: () => Promise<Answer>): Promise<Answer> => {
      if (this.isDead) throw new Error('dead');
      const answer = await act();
      this.#done += 1;
      if (this.isDead) throw new Error('dead');
      return answer;
    };
    return {
      ...rest,
      db: { transaction: (work, options) => effect(() => db.transaction(work, options)), end: () => db.end() },
      fetch: (input, init) => effect(() => fetch(input, init)),
      gate: {
        acquire: (...given) => effect(() => gate.acquire(...given)),
        withdraw: (...given) => effect(() => gate.withdraw(...given)),
        report: (...given) => effect(() => gate.report(...given)),
        status: (...given) => effect(() => gate.status(...given)),
        claimPage: (...given) => effect(() => gate.claimPage(...given)),
        pageSent: () => effect(() => gate.pageSent()),
      },
      evidence: {
        put: (...given) => effect(() => evidence.put(...given)),
        get: (...given) => effect(() => evidence.get(...given)),
        list: (...given) => effect(() => evidence.list(...given)),
      },
      sleep: (milliseconds) => effect(() => sleep(milliseconds)),
    };
  }
}

/**
 * Lets a worker die behind each of its effects in turn, each time over a payout of its own, lets the next runs end their work, and checks what became of
 * each. Answers how many effects there were.
 */
async function dieEverywhere(
  prepare: () => Promise<void>,
  work: (deps: PayoutDeps, shopper: Shopper) => Promise<unknown>,
  check: (shopper: Shopper, point: number) => Promise<void>,
): Promise<number> {
  const shoppers: Shopper[] = [];
  for (let isDead = true; isDead; ) {
    if (shoppers.length === MOST_POINTS) throw new Error('it never ends');
    const shopper = await stage.shopper();
    await stage.reward(shopper, '500.00');
    await prepare();
    const mortal = new Mortal(shoppers.length);
    shoppers.push(shopper);
    await stage.run((deps) => work(mortal.deps(deps), shopper).catch(() => undefined));
    isDead = mortal.isDead;
    // The next run, when leases have ended. What waits longer must not come between the next victim and its end.
    stage.clock.advance(MINUTE);
    await stage.run(payout);
    await stage.owner.query(
      `update payouts set next_attempt_at = $1 where status not in ('paid', 'cancelled', 'error_hard')`,
      [new Date(stage.clock.now() + 24 * 60 * MINUTE)],
    );
  }
  for (let run = 0; run < 3; run++) {
    stage.clock.advance(24 * 60 * MINUTE);
    await stage.run(payout);
  }
  for (const [point, shopper] of shoppers.entries()) await check(shopper, point);
  return shoppers.length - 1;
}

const statuses = async ({ userId }: Shopper) =>
  (await stage.payouts()).filter(({ payee }) => payee === userId).map(({ status }) => status);

async function expectOneCard(shopper: Shopper, point: number, messages: number[]): Promise<void> {
  expect([point, await statuses(shopper)]).toEqual([point, ['paid']]);
  const texts = (await stage.messages(shopper)).map(({ text }) => text);
  expect([point, messages.includes(texts.length)]).toEqual([point, true]);
  expect(new Set(texts).size).toBe(1);
}

describe('faults 19, 20, 22, 42: a worker that dies between any two awaits', { timeout: 120_000 }, () => {
  it('of a payout: one card, its code sent at most once more, nothing lost', async () => {
    const points = await dieEverywhere(
      async () => undefined,
      (deps) => payout(deps),
      (shopper, point) => expectOneCard(shopper, point, [1, 2]),
    );
    // Reservation, intent, gate, begin, call, report, card stored, SMS begun, sent, paid, and what is around them.
    expect(points).toBeGreaterThan(20);
    expect(await stage.cards()).toHaveLength(points + 1);
    expect(await stage.broken()).toEqual([]);
  });

  it('of a payout whose answer is lost (fault 21): the same', async () => {
    const points = await dieEverywhere(
      () => stage.fault('agcod', { kind: 'drop-after' }),
      (deps) => payout(deps),
      (shopper, point) => expectOneCard(shopper, point, [1, 2]),
    );
    expect(await stage.cards()).toHaveLength(points + 1);
    expect(await stage.broken()).toEqual([]);
  });

  it('of a payout that is refused (fault 26): its money is back once, or its answer was not seen and the id is asked for again', async () => {
    const seen = new Set<string>();
    await dieEverywhere(
      () => stage.fault('agcod', { kind: 'error', errorCode: 'F200', errorType: 'MaxAmountExceeded' }),
      (deps) => payout(deps),
      async (shopper, point) => {
        const [status = '', another] = await statuses(shopper);
        expect([point, another]).toEqual([point, undefined]);
        expect(['error_hard', 'paid']).toContain(status);
        const available = status === 'paid' ? '0.00' : '500.00';
        expect(await stage.account(shopper)).toEqual({ available, reserved: '0.00', receivable: '0.00' });
        seen.add(status);
      },
    );
    expect(seen.size).toBe(2);
    expect(await stage.broken()).toEqual([]);
  });

  it('of a payout whose card was refunded (fault 28): never delivered, its money back once and paid by another', async () => {
    await dieEverywhere(
      () => stage.fault('agcod', { kind: 'refunded' }),
      (deps) => payout(deps),
      async (shopper, point) => {
        // What is paid again may meet the next one's fault.
        const now = (await statuses(shopper)).filter((status) => status !== 'cancelled');
        expect([point, now]).toEqual([point, ['paid']]);
        expect((await stage.messages(shopper)).length).toBeLessThanOrEqual(2);
      },
    );
    expect((await stage.cards()).filter(({ status }) => status !== 'Fulfilled').length).toBeGreaterThan(10);
    expect(await stage.broken()).toEqual([]);
  });

  it('of an operator’s cancellation of a card: it is cancelled and its money paid by another, or it lives and is delivered', async () => {
    const operatorId = await stage.operator();
    const seen = new Set<number>();
    await dieEverywhere(
      async () => {
        await stage.fault('sms', { kind: 'error' });
        await stage.run(payout);
      },
      async (deps, shopper) => {
        const row = (await stage.payouts()).find(({ payee }) => payee === shopper.userId);
        return operatePayout(deps, {
          ...{ payoutId: row?.payout_id ?? '', action: 'cancel', operatorId, reason: 'r' },
        });
      },
      async (shopper, point) => {
        const now = (await statuses(shopper)).sort();
        expect([['cancelled', 'paid'], ['paid']]).toContainEqual(now);
        expect([point, (await stage.messages(shopper)).length]).toEqual([point, 1]);
        seen.add(now.length);
      },
    );
    expect(seen.size).toBe(2);
    expect(await stage.broken()).toEqual([]);
  });
});
