import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changedTables, checksums, expectCleanBooks, payoutsOf, saleOf } from './support/books.ts';
import {
  type Creator,
  createPlatform,
  freshOrder,
  INSTANT,
  type Link,
  type Person,
  type Platform,
} from './support/platform.ts';
import { freshPlace, removePlace, type StackPlace, type StackProcess, startStack } from './support/stack-process.ts';
import { until } from './support/until.ts';

// A stack of its own: the suite's goes on answering the other files.
let place: StackPlace;
let running: StackProcess | undefined;
let on: Platform;
let operatorToken: string;
let creator: Creator;
let link: Link;
let shopper: Person;

async function start(): Promise<void> {
  running = await startStack(place);
  await on?.close();
  on = createPlatform(running.stack, operatorToken);
}

beforeAll(async () => {
  place = await freshPlace();
  await start();
  operatorToken = (await on.logIn(on.stack.operatorPhone)).token;
  await on.close();
  on = createPlatform(on.stack, operatorToken);
  creator = await on.creator();
  link = await on.link(creator);
  shopper = await on.logIn();
});
afterAll(async () => {
  await on?.close();
  await running?.stop();
  removePlace(place);
});

const sale = async (order: string) => ({
  ...{ p1: await on.clickFor(shopper, link), campaign_id: INSTANT, publisher_id: creator.publisher_id },
  ...{ sale_amount: '4000.00', txn_id: order },
});

/** What a start writes itself: links are published again. */
const OF_THE_START = ['links', 'schedule_runs'];

test('after SIGTERM nothing answers and nothing is lost: the next start finds money, links, logins and the network as they were', async () => {
  const [paid, open] = [freshOrder(), freshOrder()];
  await on.buy(await sale(paid));
  await until('the reward', () => saleOf(on, paid));
  await on.cron('release');
  await on.cron('payout');
  expect(await payoutsOf(on, shopper.user_id)).toMatchObject([{ status: 'paid', amount: '180.00' }]);
  // Just told, still in the queue: it must be in the books when the stack has stopped.
  await on.buy(await sale(open));
  await running?.stop();
  expect(existsSync(join(place.dataDir, 'stack.json'))).toBe(false);
  await expect(fetch(on.stack.origin)).rejects.toThrow();

  const messages = shopper.phone;
  await start();
  expect(await saleOf(on, open)).toMatchObject({ status: 'pending', user_id: shopper.user_id });
  const before = await checksums(on, OF_THE_START);
  expect((await on.follow(link)).location).toContain(creator.publisher_id);
  const { status, json } = await on.call('GET', '/v1/rewards/user', { token: shopper.token });
  expect(status).toBe(200);
  expect(json.map((reward: { status: string }) => reward.status).toSorted()).toEqual(['paid', 'pending']);
  expect((await on.messages(messages)).filter(({ kind }) => kind === 'voucher')).toHaveLength(1);
  await on.quiet();
  const after = await checksums(on, OF_THE_START);
  // Only the click that was just made is new.
  expect(changedTables(before, after)).toEqual(['clicks', 'daily_rollups']);
  await expectCleanBooks(on);
});

test('after SIGKILL of everything in the middle of traffic the next start works, and the books are clean', async () => {
  const orders = Array.from({ length: 30 }, freshOrder);
  const buyers = await Promise.all(orders.slice(0, 10).map(() => on.logIn()));
  const bought = orders.map(async (order, index) => {
    shopper = buyers[index % buyers.length] ?? shopper;
    await on.buy(await sale(order)).catch(() => undefined);
  });
  const paying = Array.from({ length: 4 }, async () => {
    await on.cron('release').catch(() => undefined);
    await on.cron('payout').catch(() => undefined);
  });
  await until('some sales in the books', async () => {
    const [row] = await on.sql('select count(*) from conversions');
    return Number(row?.count) > 6;
  });
  await running?.kill();
  await Promise.allSettled([...bought, ...paying]);

  await start();
  await on.quiet();
  await on.cron('reconcile');
  await on.quiet();
  const known = await until('every sale of the network in the books', async () => {
    const [row] = await on.sql('select count(*) from conversions');
    const listed = await fetch(`${on.stack.sandbox.trackier}/__control/conversions`);
    const { conversions } = (await listed.json()) as { conversions: unknown[] };
    return Number(row?.count) === conversions.length && conversions.length;
  });
  expect(known).toBeGreaterThan(6);
  // Payouts that were interrupted are taken up when their lease ends.
  await on.sql(`update payouts set next_attempt_at = now() where status in ('queued', 'sending', 'issued')`);
  await until('everybody paid', async () => {
    await on.cron('release');
    await on.cron('payout');
    const [row] = await on.sql(`select count(*) from payouts where status <> 'paid'`);
    return row?.count === '0';
  });
  await expectCleanBooks(on);
  const fresh = freshOrder();
  shopper = await on.logIn();
  await on.buy(await sale(fresh));
  await until('the reward of a sale after it', () => saleOf(on, fresh));
});
