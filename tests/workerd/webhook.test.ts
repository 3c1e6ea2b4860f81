import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test';
import type { VelocityCalls } from '@hissaback/shared/contracts/durable-objects';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindings, call, deliver, openStage, postbackMessage, type Stage, until } from './support/stage.ts';

const POSTBACKS = 'hissaback-postbacks';
let on: Stage;
beforeEach(async () => {
  on = await openStage();
});
afterEach(() => on.close());

const postback = (parameters: Record<string, string>) =>
  call('GET', `/v1/events/conversion?${new URLSearchParams({ ...parameters, token: 'token-1' })}`);

describe('postbacks through the real queue', () => {
  test('an answer of 200 is in the ledger a moment later, whatever came before it in this isolate', async () => {
    const { visitorId, userId } = await on.shopper();
    const references = await Promise.all([on.reference(visitorId), on.reference(visitorId)]);
    for (const [index, reference] of references.entries()) {
      const answer = await postback(on.sale(reference, `R${index}`));
      expect([answer.status, answer.json]).toEqual([200, { status: 'ok' }]);
    }
    const rewards = await until('the rewards', async () => {
      const found = await on.rewards();
      return found.length === 2 ? found : undefined;
    });
    for (const reward of rewards)
      expect(reward).toMatchObject({ user_id: userId, user_amount: '50.00', creator_amount: '50.00' });
  });

  test('what cannot be a conversion is answered with 200 and kept as evidence', async () => {
    const answer = await postback({ click_id: '{click_id}', sale_amount: '{sale_amount}', txn_id: `E${on.offerId}` });
    expect([answer.status, answer.json]).toEqual([200, { status: 'ok', ignored: true }]);
    const kept = await until('the evidence', async () => {
      const [row] = await on.rows<{ raw: Record<string, string> }>(
        `select raw from unmatched_conversions where raw ->> 'txn_id' = $1`,
        [`E${on.offerId}`],
      );
      return row;
    });
    expect(kept.raw).toEqual({ click_id: '{click_id}', sale_amount: '{sale_amount}', txn_id: `E${on.offerId}` });
  });

  test.each([
    ['198.51.100.7', 403],
    ['2001:db9::1', 403],
    ['2001:db8::1', 200],
    ['::ffff:203.0.113.200', 200],
    ['not an address', 403],
  ])('the address %s is answered with %i', async (address, status) => {
    const answer = await call('GET', '/v1/events/conversion?token=token-2', {
      headers: { 'cf-connecting-ip': address },
    });
    expect(answer.status).toBe(status);
  });
});

describe('the ledger consumer', () => {
  test('acknowledges each message after its commit, and asks for the unreadable one again, later each time', async () => {
    const reference = await on.reference(null);
    const bodies = [postbackMessage(on.sale(reference, 'A1')), { kind: 'nonsense' }];
    const first = await deliver(POSTBACKS, bodies);
    expect(first).toMatchObject({ outcome: 'ok', explicitAcks: ['m0'], retryMessages: [{ msgId: 'm1' }] });
    expect(await on.rewards()).toHaveLength(1);
    const later = await deliver(POSTBACKS, bodies, 5);
    expect(later.explicitAcks).toEqual(['m0']);
    expect([first.delays, later.delays]).toEqual([
      [undefined, 2],
      [undefined, 32],
    ]);
    expect(await on.rewards()).toHaveLength(1);
  });

  test('a poisoned message is retried alone; its neighbours are acknowledged', async () => {
    await on.rows(`create function poison_${on.offerId}() returns trigger language plpgsql as $$ begin
        if new.raw ->> 'txn_id' = 'P${on.offerId}' then raise exception 'poisoned'; end if; return new; end $$;
      create trigger poison_${on.offerId} before insert on postbacks for each row execute function poison_${on.offerId}()`);
    try {
      const references = await Promise.all([on.reference(null), on.reference(null), on.reference(null)]);
      const orders = ['B1', `P${on.offerId}`, 'B2'];
      const bodies = references.map((reference, index) => postbackMessage(on.sale(reference, orders[index] ?? '')));
      const result = await deliver(POSTBACKS, bodies);
      expect(result.explicitAcks).toEqual(['m0', 'm2']);
      expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual(['m1']);
      expect(await on.rewards()).toHaveLength(2);
    } finally {
      await on.rows(`drop trigger poison_${on.offerId} on postbacks; drop function poison_${on.offerId}()`);
    }
  });

  test('asks the velocity object of the visitor, and the fifth purchase of a day waits for a person', async () => {
    const { visitorId } = await on.shopper();
    for (let sale = 1; sale <= 5; sale++)
      await deliver(POSTBACKS, [postbackMessage(on.sale(await on.reference(visitorId), `V${sale}`))]);
    expect((await on.rewards()).map(({ status }) => status)).toEqual([...Array(4).fill('pending'), 'review']);
    const object = bindings.VELOCITY.get(
      bindings.VELOCITY.idFromName(`shoppers:${visitorId.slice(0, 1)}`),
    ) as unknown as VelocityCalls;
    expect(await object.record([{ shopper: visitorId, alias: 'another', at: Date.now() }])).toEqual([6]);
  });

  test('while the database is away nothing is acknowledged', async () => {
    const batch = createMessageBatch(POSTBACKS, [
      { id: 'm0', timestamp: new Date(), attempts: 1, body: postbackMessage(on.sale(await on.reference(null), 'D1')) },
    ]);
    const away = { ...bindings, DB: { connectionString: 'postgres://nobody@127.0.0.1:1/none' } };
    const { default: worker } = await import('../../workers/webhook/index.ts');
    await worker.queue(batch, away as unknown as WebhookEnv);
    const result = await getQueueResult(batch, createExecutionContext());
    expect([result.explicitAcks, result.retryMessages.map(({ msgId }) => msgId)]).toEqual([[], ['m0']]);
  });
});

test('dead letters are saved before they are acknowledged', async () => {
  const body = postbackMessage(on.sale(await on.reference(null), `L${on.offerId}`));
  expect(await deliver('hissaback-postbacks-dlq', [body])).toMatchObject({ ackAll: true, retryMessages: [] });
  const kept = await on.rows(`select queue from dead_letters where body -> 'raw' ->> 'txn_id' = $1`, [
    `L${on.offerId}`,
  ]);
  expect(kept).toEqual([{ queue: POSTBACKS }]);
});

test.each([
  ['ack', 'retry', ['m0'], []],
  ['retry', 'ack', [], ['m0']],
] as const)(
  'a message that is told %s and then %s follows the first word (fault 8)',
  async (first, second, acks, retries) => {
    const batch = createMessageBatch(POSTBACKS, [{ id: 'm0', timestamp: new Date(), attempts: 1, body: {} }]);
    const [message] = batch.messages;
    message?.[first]();
    message?.[second]();
    const result = await getQueueResult(batch, createExecutionContext());
    expect(result.explicitAcks).toEqual(acks);
    expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual(retries);
  },
);
