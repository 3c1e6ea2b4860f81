import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import type { VelocityObject } from './velocity.ts';

const { VELOCITY } = env as unknown as { VELOCITY: DurableObjectNamespace<VelocityObject> };
const DAY = 86_400_000;
/** One shopper of a shard of the shopper's own, unless a shard is named. */
const shopper = (name: string, shard = name) => {
  const stub = VELOCITY.get(VELOCITY.idFromName(shard));
  const record = async (alias: string, at: number) => (await stub.record([{ shopper: name, alias, at }]))[0];
  return { stub, record };
};
const KEY = 'shopper:';

test('an alias counts once, however often and from how many sides it is told at once (money rule 19)', async () => {
  const { record } = shopper('once');
  const now = Date.now();
  await Promise.all(Array.from({ length: 20 }, () => record('network:1', now)));
  expect(await record('network:2', now)).toBe(2);
});

test('five conversions of a day count five, also after an eviction', async () => {
  const { stub, record } = shopper('five');
  const now = Date.now();
  for (let index = 0; index < 4; index++) await record(`network:${index}`, now + index);
  await evictDurableObject(stub);
  expect(await record('network:4', now + 4)).toBe(5);
  expect(await record('network:5', now + DAY + 2)).toBe(3);
});

test('shoppers of one shard are counted apart, a batch in one call (money rule 19)', async () => {
  const now = Date.now();
  const { stub } = shopper('a', 'shard');
  const told = ['a', 'b', 'a', 'a', 'b'].map((name, index) => ({ shopper: name, alias: `network:${index}`, at: now }));
  expect(await stub.record(told)).toEqual([1, 1, 2, 3, 2]);
  expect(await stub.record(told)).toEqual([3, 2, 3, 3, 2]);
});

test('what is kept does not contain the alias', async () => {
  const { stub, record } = shopper('alias');
  await record('order:ACME-77001', Date.now());
  await runInDurableObject(stub, (_, state) => {
    expect(JSON.stringify([...state.storage.kv.list()])).not.toContain('77001');
  });
});

test('the alarm forgets what is over a day old, and everything in the end, twice as well (fault 37)', async () => {
  const { stub, record } = shopper('alarm');
  const now = Date.now();
  await record('old', now - 2 * DAY);
  await record('new', now);
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  await runInDurableObject(stub, async (instance, state) => {
    expect(state.storage.kv.get(`${KEY}alarm`)).toHaveLength(1);
    expect(await state.storage.getAlarm()).not.toBeNull();
    state.storage.kv.put(`${KEY}alarm`, [{ alias: 'x', at: now - 2 * DAY }]);
    await instance.alarm();
    await instance.alarm();
    expect([...state.storage.kv.list()]).toEqual([]);
    expect(await state.storage.getAlarm()).toBeNull();
  });
});

test('an alarm that runs twice, and again after an eviction in the middle, forgets nothing that counts (fault 37)', async () => {
  const { stub, record } = shopper('alarm twice');
  const now = Date.now();
  for (let index = 0; index < 4; index++) await record(`network:${index}`, now + index);
  await Promise.all([runDurableObjectAlarm(stub), runInDurableObject(stub, (instance) => instance.alarm())]);
  const after = await runInDurableObject(stub, (_, state) => state.storage.kv.get(`${KEY}alarm twice`));
  await evictDurableObject(stub);
  await runInDurableObject(stub, (instance) => instance.alarm());
  await runInDurableObject(stub, async (instance, state) => {
    await instance.alarm();
    expect(state.storage.kv.get(`${KEY}alarm twice`)).toEqual(after);
    expect(await state.storage.getAlarm()).not.toBeNull();
  });
  expect(await record('network:3', now + 3)).toBe(4);
  expect(await record('network:4', now + 4)).toBe(5);
});
