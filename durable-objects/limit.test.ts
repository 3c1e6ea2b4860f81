import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import type { LimitObject } from './limit.ts';

const { LIMIT } = env as unknown as { LIMIT: DurableObjectNamespace<LimitObject> };
const HOUR = 3_600_000;
const rule = { limit: 10, windowMs: HOUR };

test('of fifty requests at once as many pass as the limit says, also after an eviction', async () => {
  const stub = LIMIT.get(LIMIT.idFromName('at-once'));
  const now = Date.now();
  const answers = await Promise.all(Array.from({ length: 50 }, () => stub.take(rule, now)));
  expect(answers.filter((answer) => answer.allowed)).toHaveLength(10);
  await evictDurableObject(stub);
  expect(await stub.take(rule, now + 1)).toMatchObject({ allowed: false, remaining: 0 });
});

test('names do not share a count', async () => {
  const one = LIMIT.get(LIMIT.idFromName('one'));
  const two = LIMIT.get(LIMIT.idFromName('two'));
  const tight = { ...rule, limit: 1 };
  expect(await one.take(tight, Date.now())).toMatchObject({ allowed: true });
  expect(await two.take(tight, Date.now())).toMatchObject({ allowed: true });
});

test('the alarm deletes a count that refuses nothing any more, and no other, twice as well (fault 37)', async () => {
  const stub = LIMIT.get(LIMIT.idFromName('alarm'));
  await stub.take(rule, Date.now());
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  await runInDurableObject(stub, async (instance, state) => {
    expect([...state.storage.kv.list()]).toHaveLength(1);
    state.storage.kv.put('limit', { windowMs: HOUR, state: [{ slice: 1, count: 5 }] });
    await instance.alarm();
    await instance.alarm();
    expect([...state.storage.kv.list()]).toEqual([]);
    expect(await state.storage.getAlarm()).toBeNull();
  });
});
