import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { payout } from './payout.ts';
import { type Shopper, Stage } from './stage.fake.ts';

const MINUTE = 60_000;

let stage: Stage;
let shopper: Shopper;
beforeAll(async () => {
  stage = await Stage.open(inject('postgres'));
});
beforeEach(async () => {
  await stage.reset();
  stage.settings = { ...stage.settings, NOTIFICATIONS: 'on', PAYOUT_MINIMUM: '1000.00' };
  shopper = await stage.shopper();
  await run();
});
afterAll(() => stage.close());

async function run(wait = 0, changes: Parameters<Stage['deps']>[0] = {}) {
  stage.clock.advance(wait);
  return stage.run(payout, changes);
}

/** A reward whose status is as of now. */
async function reward(status: string, amount = '40.00'): Promise<bigint> {
  const conv = await stage.reward(shopper, amount);
  await stage.owner.query(
    `set session_replication_role = replica; update ledger set status = '${status}', status_at = '${new Date(stage.clock.now()).toISOString()}'
     where conv_id = ${conv}; reset session_replication_role`,
  );
  return conv;
}

const kinds = async () => (await stage.messages(shopper)).map(({ kind }) => kind);

describe('a shopper is told', () => {
  it('of each step once, however many runs find it', async () => {
    const conv = await reward('pending');
    await run(MINUTE);
    await run(MINUTE);
    expect(await kinds()).toEqual(['tracked']);
    expect((await stage.messages(shopper))[0]?.text).toContain('Rs 40.00');
    await stage.owner.query(`update ledger set status = 'confirmed', status_at = $2 where conv_id = $1`, [
      conv,
      new Date(stage.clock.now()),
    ]);
    await Promise.all(Array.from({ length: 10 }, () => run()));
    await run(MINUTE);
    expect(await kinds()).toEqual(['tracked', 'confirmed']);
    await stage.owner.query(`update ledger set status = 'reversed', status_at = $2 where conv_id = $1`, [
      conv,
      new Date(stage.clock.now()),
    ]);
    await run(MINUTE);
    expect(await kinds()).toEqual(['tracked', 'confirmed', 'reversed']);
  });

  it('that a voucher was paid, beside the voucher itself, and that the reward was confirmed, though one run found and paid it', async () => {
    await stage.reward(shopper, '1500.00');
    await run(MINUTE);
    expect((await kinds()).sort()).toEqual(['confirmed', 'paid', 'voucher']);
  });

  it('by the shop’s name on one line, cut between characters', async () => {
    await stage.owner.query('update offers set brand = $1', [`A\r\nB ${'🚀'.repeat(60)}`]);
    const conv = await reward('pending');
    await stage.owner.query(
      `insert into conversions (conv_id, created_at, tenant_id, click_id, link_id, campaign_id, offer_id, order_value, net_commission, currency, status,
         cool_off_days, received_at)
       select conv_id, occurred_at, tenant_id, click_id, link_id, tenant_id, offer_id, order_value, net_commission, 'INR', status, 30, occurred_at
       from conversion_identities where conv_id = $1`,
      [conv],
    );
    await run(MINUTE);
    await stage.owner.query(`update offers set brand = 'B'`);
    await stage.owner.query(
      'set session_replication_role = replica; delete from conversions; reset session_replication_role',
    );
    const [sent] = await stage.messages(shopper);
    expect(sent?.text).toContain(`at A B ${'🚀'.repeat(36)} is tracked`);
    expect(sent?.text.isWellFormed()).toBe(true);
  });

  it('in Hindi, under that text’s own template or the common one', async () => {
    await stage.owner.query(`update users set language = 'hi' where user_id = $1`, [shopper.userId]);
    await reward('pending');
    await run(MINUTE);
    expect((await stage.messages(shopper))[0]?.text).toContain('कैशबैक');
  });

  it('nothing of a sale that was never told of', async () => {
    await reward('reversed');
    await run(MINUTE);
    expect(await kinds()).toEqual([]);
  });

  it('nothing that was switched off; vouchers come all the same', async () => {
    await stage.owner.query(
      'insert into notification_preferences (user_id, tracked, confirmed, paid, updated_at) values ($1, false, false, false, now())',
      [shopper.userId],
    );
    await reward('pending');
    await stage.reward({ ...shopper, tenantId: await stage.tenant() }, '1500.00');
    await run(MINUTE);
    expect(await kinds()).toEqual(['voucher']);
  });
});

describe('when', () => {
  it('not at night: it waits for nine in the morning in India', async () => {
    stage.clock.set(Date.parse('2026-11-10T15:30:00Z'));
    await reward('pending');
    await run(MINUTE);
    expect(await kinds()).toEqual([]);
    stage.clock.set(Date.parse('2026-11-11T03:29:00Z'));
    await run();
    expect(await kinds()).toEqual([]);
    await run(MINUTE);
    expect(await kinds()).toEqual(['tracked']);
  });

  it('the first run tells nothing of the past, and two days later it is no news', async () => {
    await stage.owner.query('delete from schedule_runs');
    await reward('pending');
    await run(MINUTE);
    expect(await kinds()).toEqual([]);
    await stage.fault('sms', { kind: 'http-500', times: 9 });
    await reward('pending');
    await run();
    await stage.control('sms', 'reset', {});
    await run(50 * 60 * MINUTE);
    expect(await kinds()).toEqual([]);
  });
});

describe('when the gateway fails', () => {
  it('a refusal for now is tried again with back-off, five times', async () => {
    await stage.fault('sms', { kind: 'http-500', times: 1 });
    await reward('pending');
    await run();
    expect(await kinds()).toEqual([]);
    await run(MINUTE / 2);
    expect(await kinds()).toEqual([]);
    await run(MINUTE);
    expect(await kinds()).toEqual(['tracked']);
  });

  it.each(['drop-after', 'drop-before'])('a silence (%s) is not answered with a second message', async (kind) => {
    await stage.fault('sms', { kind });
    await reward('pending');
    for (let minute = 0; minute < 3; minute++) await run(MINUTE);
    expect((await kinds()).length).toBeLessThanOrEqual(1);
    const { rows } = await stage.owner.query('select status from notifications');
    expect(rows).toEqual([{ status: 'unknown' }]);
  });

  it('a sender that died leaves one that may have gone out: it is not sent again', async () => {
    await reward('pending');
    let isSending = false;
    const deps = stage.deps({
      fetch: async (input, init) => {
        isSending = String(input).includes('/api/v5/flow');
        return fetch(input, init);
      },
    });
    const { db } = deps;
    await payout({
      ...deps,
      db: {
        transaction: (work, options) =>
          isSending ? Promise.reject(new Error('the server is gone')) : db.transaction(work, options),
        end: () => db.end(),
      },
    });
    expect(await kinds()).toEqual(['tracked']);
    for (let minute = 0; minute < 3; minute++) await run(MINUTE);
    expect(await kinds()).toEqual(['tracked']);
  });

  it('money does not wait for it', async () => {
    stage.settings = { ...stage.settings, DLT_TEMPLATE_TRACKED: '' };
    await reward('pending');
    await stage.reward({ ...shopper, tenantId: await stage.tenant() }, '1500.00');
    expect(await run(MINUTE)).toMatchObject({ paid: 1, failed: 0 });
  });
});
