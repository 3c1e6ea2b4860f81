import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import type { AgcodGateObject } from './agcod-gate.ts';

const { AGCOD_GATE } = env as unknown as { AGCOD_GATE: DurableObjectNamespace<AgcodGateObject> };
const NOW = Date.parse('2026-11-10T06:00:00Z');
const HOLD = 300_000;
const TROUBLE = { purpose: 'call', sign: 'trouble', payoutId: 'p1', holdForMs: HOLD } as const;

test('money rule 16: of twenty runs that ask at once, no eleven may call within a second', async () => {
  const gate = AGCOD_GATE.get(AGCOD_GATE.idFromName('pacing'));
  const slots = await Promise.all(Array.from({ length: 20 }, () => gate.acquire(NOW, 'call')));
  const waits = slots.map((slot) => (slot.ok ? slot.waitMs : Number.NaN)).sort((a, b) => a - b);
  for (const wait of waits)
    expect(waits.filter((other) => other > wait - 1_000 && other <= wait).length).toBeLessThanOrEqual(10);
});

test('the breaker is still open after an eviction, and lets one of many probes out', async () => {
  const gate = AGCOD_GATE.get(AGCOD_GATE.idFromName('breaker'));
  expect(await gate.report(TROUBLE, NOW)).toBe('opened');
  await evictDurableObject(gate);
  expect(await gate.acquire(NOW + 1, 'call')).toMatchObject({ ok: false, reason: 'open', until: NOW + HOLD });
  const probes = await Promise.all(Array.from({ length: 10 }, () => gate.acquire(NOW + HOLD, 'probe')));
  expect(probes.filter((probe) => probe.ok)).toHaveLength(1);
  expect(await gate.report({ ...TROUBLE, purpose: 'probe', sign: 'works' }, NOW + HOLD)).toBe('closed');
  expect(await gate.status(NOW + HOLD)).toEqual({ breaker: 'closed', firstCalls: [] });
});

test('of fifty runs one is to page about the breaker', async () => {
  const gate = AGCOD_GATE.get(AGCOD_GATE.idFromName('page'));
  await gate.report(TROUBLE, NOW);
  const claims = await Promise.all(Array.from({ length: 50 }, () => gate.claimPage(NOW)));
  expect(claims.filter(Boolean)).toHaveLength(1);
  await gate.pageSent();
  expect(await gate.claimPage(NOW + HOLD)).toBe(false);
});

test('money rule 17: first calls are still remembered after an eviction', async () => {
  const gate = AGCOD_GATE.get(AGCOD_GATE.idFromName('first calls'));
  await gate.acquire(NOW, 'call', { firstCallOf: 'p1' });
  await evictDurableObject(gate);
  expect((await gate.status(NOW)).firstCalls).toEqual([{ payoutId: 'p1', at: NOW, isAnswered: false }]);
});
