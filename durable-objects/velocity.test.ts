import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import type { VelocityObject } from './velocity.ts';

const { VELOCITY } = env as unknown as { VELOCITY: DurableObjectNamespace<VelocityObject> };
const DAY = 86_400_000;
const shopper = (name: string) => VELOCITY.get(VELOCITY.idFromName(name));

test('an alias counts once, however often and from how many sides it is told at once (money rule 19)', async () => {
  const stub = shopper('once');
  const now = Date.now();
  await Promise.all(Array.from({ length: 20 }, () => stub.record('network:1', now)));
  expect(await stub.record('network:2', now)).toBe(2);
});

test('five conversions of a day count five, also after an eviction', async () => {
  const stub = shopper('five');
  const now = Date.now();
  for (let index = 0; index < 4; index++) await stub.record(`network:${index}`, now + index);
  await evictDurableObject(stub);
  expect(await stub.record('network:4', now + 4)).toBe(5);
  expect(await stub.record('network:5', now + DAY + 2)).toBe(3);
});

test('what is kept does not contain the alias', async () => {
  const stub = shopper('alias');
  await stub.record('order:ACME-77001', Date.now());
  await runInDurableObject(stub, (_, state) => {
    expect(JSON.stringify([...state.storage.kv.list()])).not.toContain('77001');
  });
});

test('the alarm forgets what is over a day old, and everything in the end, twice as well (fault 37)', async () => {
  const stub = shopper('alarm');
  const now = Date.now();
  await stub.record('old', now - 2 * DAY);
  await stub.record('new', now);
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  await runInDurableObject(stub, async (instance, state) => {
    expect(state.storage.kv.get('entries')).toHaveLength(1);
    expect(await state.storage.getAlarm()).not.toBeNull();
    state.storage.kv.put('entries', [{ alias: 'x', at: now - 2 * DAY }]);
    await instance.alarm();
    await instance.alarm();
    expect([...state.storage.kv.list()]).toEqual([]);
    expect(await state.storage.getAlarm()).toBeNull();
  });
});

test('an alarm that runs twice, and again after an eviction in the middle, forgets nothing that counts (fault 37)', async () => {
  const stub = shopper('alarm twice');
  const now = Date.now();
  for (let index = 0; index < 4; index++) await stub.record(`network:${index}`, now + index);
  await Promise.all([runDurableObjectAlarm(stub), runInDurableObject(stub, (instance) => instance.alarm())]);
  const after = await runInDurableObject(stub, (_, state) => state.storage.kv.get('entries'));
  await evictDurableObject(stub);
  await runInDurableObject(stub, (instance) => instance.alarm());
  await runInDurableObject(stub, async (instance, state) => {
    await instance.alarm();
    expect(state.storage.kv.get('entries')).toEqual(after);
    expect(await state.storage.getAlarm()).not.toBeNull();
  });
  expect(await stub.record('network:3', now + 3)).toBe(4);
  expect(await stub.record('network:4', now + 4)).toBe(5);
});
