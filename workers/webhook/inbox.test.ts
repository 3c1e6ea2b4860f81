import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { claimRewards } from './claim-rewards.ts';
import { expireUnclaimed } from './expire-unclaimed.ts';
import { clearInbox, keepInInbox, resendInbox } from './inbox.ts';
import { SETTINGS, stage } from './stage.fake.ts';
import { type Worker, worker } from './worker.fake.ts';

const HOUR = 3_600_000;

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;
let at: Worker;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
afterEach(() => on.end());

const sweep = () => resendInbox(on.db, at.env, at.deps);
const bind = (visitorId: string, userId: string) =>
  on.rows('select bind_visitor($1, $2, $3)', [visitorId, userId, new Date(on.clock.now())]);
const claimedAt = async (visitorId: string) => {
  const [row] = await on.rows('select claimed_at from visitors where visitor_id = $1', [visitorId]);
  return row?.claimed_at ?? null;
};

describe('claims that never arrived', () => {
  it('are announced again until the rewards have their shopper, and looked for no more an hour later', async () => {
    on = await stage(database);
    at = worker(database, on);
    const [visitorId, userId] = [await on.newVisitor(null), await on.newUser()];
    await on.take(on.event(await on.storedClick(visitorId), { txn_id: 'A1', payout: '100' }));
    expect(await sweep()).toEqual({ postbacks: 0, claims: 0 });
    await bind(visitorId, userId);
    on.clock.advance(2 * HOUR);
    for (const claims of [1, 1]) expect(await sweep()).toEqual({ postbacks: 0, claims });
    expect(at.sent.map(({ body }) => body)).toContainEqual({ kind: 'claim', visitor_id: visitorId, user_id: userId });
    expect(await claimedAt(visitorId)).toBeNull();
    const context = { settings: SETTINGS, random: on.random, now: on.clock.now() };
    expect(await on.db.transaction((tx) => claimRewards(tx, { visitorId, userId }, context))).toBe(1);
    expect(await sweep()).toEqual({ postbacks: 0, claims: 0 });
    expect(await claimedAt(visitorId)).not.toBeNull();
  });

  it('of a visitor who was bound within the hour are still looked for: a sale may be on its way', async () => {
    on = await stage(database);
    at = worker(database, on);
    const visitorId = await on.newVisitor(null);
    await bind(visitorId, await on.newUser());
    on.clock.advance(HOUR);
    await sweep();
    expect(await claimedAt(visitorId)).toBeNull();
    on.clock.advance(1);
    await sweep();
    expect(await claimedAt(visitorId)).not.toBeNull();
  });

  it('of rewards that had expired are no claims: they are nobody’s, however often one looks', async () => {
    on = await stage(database);
    at = worker(database, on);
    const visitorId = await on.newVisitor(null);
    await on.take(on.event(await on.storedClick(visitorId), { txn_id: 'A1', payout: '100', status: 'approved' }));
    on.clock.advance(181 * 24 * HOUR);
    expect(await expireUnclaimed(on.db, at.env, at.deps)).toEqual({ expired: 1 });
    await bind(visitorId, await on.newUser());
    expect(await sweep()).toEqual({ postbacks: 0, claims: 0 });
    on.clock.advance(2 * HOUR);
    await sweep();
    expect(await claimedAt(visitorId)).not.toBeNull();
  });
});

describe('postbacks in the inbox', () => {
  it('are sent again until the books have them, where the inbox is on', async () => {
    on = await stage(database);
    at = worker(database, on);
    at.env.POSTBACK_INBOX = 'on';
    const message = await at.message(await on.storedClick(null), { txn_id: 'A1', payout: '100' });
    await keepInInbox(at.env, message);
    expect(await sweep()).toEqual({ postbacks: 1, claims: 0 });
    expect(at.sent.map(({ body }) => body)).toEqual([message]);
    await clearInbox(at.env, [message]);
    expect(await sweep()).toEqual({ postbacks: 0, claims: 0 });
  });
});
