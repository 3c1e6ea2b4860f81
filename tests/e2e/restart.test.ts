import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { read } from '@hissaback/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { changedTables, checksums, expectCleanBooks, payoutsOf, saleOf } from './support/books.ts';
import { type Creator, createPlatform, freshOrder, INSTANT, type Link, type Person } from './support/platform.ts';
import { rotateKeys } from './support/rotate.ts';
import {
  freshPlace,
  removePlace,
  type StackPlace,
  type StackProcess,
  startStack,
  stopStack,
} from './support/stack-process.ts';
import { until } from './support/until.ts';

// The last file: it stops the suite's stack, and the one that runs at its end is its own.
const given = inject('place');
const operatorToken = inject('operatorToken');
let place: StackPlace;
let running: StackProcess | undefined;
let on = createPlatform(inject('stack'), operatorToken);
let creator: Creator;
let link: Link;
let shopper: Person;

async function start(): Promise<void> {
  running = await startStack(place);
  await on.close();
  on = createPlatform(running.stack, operatorToken);
}

async function stop(): Promise<void> {
  if (running !== undefined) await running.stop();
  else if (given !== null) await stopStack(given.pid);
}

beforeAll(async () => {
  place = given ?? (await freshPlace());
  if (given === null) await start();
  creator = await on.creator();
  link = await on.link(creator);
  shopper = await on.logIn();
});
afterAll(async () => {
  await on.close();
  await running?.stop();
  if (given === null) removePlace(place);
});

const sale = async (order: string) => ({
  ...{ p1: await on.clickFor(shopper, link), campaign_id: INSTANT, publisher_id: creator.publisher_id },
  ...{ sale_amount: '4000.00', txn_id: order },
});

/** What a start writes itself: links are published again. */
const OF_THE_START = ['links', 'schedule_runs'];

/** What was signed, hashed, encrypted or sent with the keys of before. */
type Kept = { person: Person; click: string; code: string; request_id: string; key: string; cronToken: string };
const PAN = 'ABCPE1234F';
let kept: Kept;

async function keep(): Promise<Kept> {
  const { token, tenant_id } = creator;
  const person = await on.logIn();
  await on.call('POST', '/v1/me/kyc', { token: person.token, json: { pan: PAN } });
  const { reference: click } = await on.follow(link, person);
  const scopes = { name: 'Server', scopes: ['links:read'] };
  const { key } = (await on.call('POST', '/v1/api-keys', { token, json: scopes })).json;
  const url = 'http://127.0.0.1:9/';
  await on.call('POST', '/v1/webhooks', { token, json: { tenant_id, url, events: ['conversion.reversed'] } });
  const { request_id } = (await on.call('POST', '/v1/auth/otp/request', { json: { phone: person.phone } })).json;
  const code = /\b\d{6}\b/.exec((await on.messages(person.phone)).at(-1)?.text ?? '')?.[0] ?? '';
  return { person, click, code, request_id, key, cronToken: on.stack.cronToken };
}
const kidOf = (jwt: string): string => JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).kid;

test('after SIGTERM nothing answers and nothing is lost: the next start finds money, links, logins and the network as they were', async () => {
  const [paid, open] = [freshOrder(), freshOrder()];
  await on.buy(await sale(paid));
  await until('the reward', () => saleOf(on, paid));
  await on.cron('release');
  await on.cron('payout');
  expect(await payoutsOf(on, shopper.user_id)).toMatchObject([{ status: 'paid', amount: '180.00' }]);
  // Just told, still in the queue: it must be in the books when the stack has stopped.
  await on.buy(await sale(open));
  kept = await keep();
  await stop();
  await rotateKeys(place.dataDir);
  expect(existsSync(join(place.dataDir, 'stack.json'))).toBe(false);
  await expect(fetch(on.stack.origin)).rejects.toThrow();

  const messages = shopper.phone;
  await start();
  expect(await saleOf(on, open)).toMatchObject({ status: 'pending', user_id: shopper.user_id });
  const before = await checksums(on, OF_THE_START);
  expect((await on.follow(link)).location).toContain(creator.publisher_id);
  const rewards = await read(on.api(shopper.token).v1.rewards.user.$get({ query: {} }));
  expect(rewards.map(({ status }) => status).toSorted()).toEqual(['paid', 'pending']);
  expect((await on.messages(messages)).filter(({ kind }) => kind === 'voucher')).toHaveLength(1);
  await on.quiet();
  const after = await checksums(on, OF_THE_START);
  // Only the click that was just made is new.
  expect(changedTables(before, after).join(' ')).toBe('clicks daily_rollups');
  await expectCleanBooks(on);
});

test('every key was rotated by adding one: what was made with the old ones is good, what is made now bears the new', async () => {
  const { person, click, code, request_id, key, cronToken } = kept;
  const { keys } = (await on.call('GET', '/.well-known/jwks.json')).json as { keys: { kid: string }[] };
  const [newKid, oldKid] = keys.map(({ kid }) => kid);
  expect(kidOf(person.token)).toBe(oldKid);
  expect((await on.call('GET', '/v1/me', { token: person.token })).status).toBe(200);
  const headers = { cookie: person.refresh, 'x-requested-with': 'test' };
  const refreshed = await on.call('POST', '/v1/auth/refresh', { headers });
  expect(kidOf(refreshed.json.jwt)).toBe(newKid);
  const { json } = await on.call('POST', '/v1/auth/otp/verify', { json: { request_id, code } });
  expect(kidOf(json.jwt)).toBe(newKid);
  expect((await on.call('POST', '/v1/me/kyc', { token: json.jwt, json: { pan: PAN } })).status).toBe(200);
  expect((await on.call('GET', '/v1/links', { token: key })).status).toBe(200);
  for (const token of [cronToken, on.stack.cronToken]) {
    expect((await on.call('POST', '/v1/rewards/payout/run', { token })).status).toBe(200);
  }
  const order = freshOrder();
  await on.buy({ ...(await sale(order)), p1: click });
  expect(await until('the reward', () => saleOf(on, order))).toMatchObject({ user_id: person.user_id });
  await on.cron('webhooks');
  const secrets = await on.sql('select secret from webhook_endpoints where tenant_id = $1', [creator.tenant_id]);
  expect(secrets).toEqual([{ secret: expect.stringMatching(/^2\.[\w-]{16}\./) }]);
});

test('PostgreSQL killed while the stack runs comes back by itself, and no postback that was answered with 200 is lost (fault 43)', async () => {
  const pidFile = join(place.dataDir, 'postgres', 'cluster', 'postmaster.pid');
  const pid = () => Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  const [killed, order] = [pid(), freshOrder()];
  const parameters = {
    ...{ click_id: await on.clickFor(shopper, link), offer_id: String(INSTANT), sale_amount: '10.00' },
    ...{ status: 'approved', txn_id: order },
  };
  process.kill(killed, 'SIGKILL');
  expect((await on.postback(parameters)).json).toEqual({ status: 'ok' });
  await until('another server', async () => existsSync(pidFile) && pid() !== killed);
  const credited = await until('the reward', () => saleOf(on, order));
  expect(credited).toMatchObject({ status: 'pending', user_id: shopper.user_id });
});

test('after SIGKILL of everything in the middle of traffic the next start works, and the books are clean', async () => {
  if (running === undefined) {
    await stop(); // the stack that is to be killed must be this process's own
    await start();
  }
  const orders = Array.from({ length: 30 }, freshOrder);
  const buyers = await Promise.all(orders.slice(0, 10).map(() => on.logIn()));
  const ids = buyers.map(({ user_id }) => user_id);
  const credited = async () =>
    Number((await on.sql('select count(*) from conversions where txn_id = any($1)', [orders]))[0]?.count);
  const bought = orders.map(async (order, index) => {
    shopper = buyers[index % buyers.length] ?? shopper;
    await on.buy(await sale(order)).catch(() => undefined);
  });
  const paying = Array.from({ length: 4 }, async () => {
    await on.cron('release').catch(() => undefined);
    await on.cron('payout').catch(() => undefined);
  });
  await until('some sales in the books', async () => (await credited()) > 0);
  await running?.kill();
  await Promise.allSettled([...bought, ...paying]);

  await start();
  await on.quiet();
  await on.cron('reconcile');
  const { conversions } = (await (await fetch(`${on.stack.sandbox.trackier}/__control/conversions`)).json()) as {
    conversions: { txn_id: string }[];
  };
  const sold = conversions.filter(({ txn_id }) => orders.includes(txn_id)).length;
  expect(sold).toBeGreaterThan(0);
  await until('every sale of the network in the books', async () => (await credited()) === sold);
  await until('everybody paid', async () => {
    // Payouts that were interrupted are taken up when their lease ends.
    await on.sql(
      `update payouts set next_attempt_at = now() where user_id = any($1) and status in ('queued', 'sending', 'issued')`,
      [ids],
    );
    await on.cron('release');
    await on.cron('payout');
    const [row] = await on.sql('select sum(amount) from payouts where user_id = any($1) and status = $2', [
      ids,
      'paid',
    ]);
    return Number(row?.sum) === sold * 180;
  });
  await expectCleanBooks(on);

  const fresh = freshOrder();
  shopper = await on.logIn();
  await on.buy(await sale(fresh));
  await until('the reward of a sale after it', () => saleOf(on, fresh));
});
