import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { decodeRefreshToken } from '@hissaback/shared/domain/refresh-token';
import { REFRESH_GRACE_MS, SESSION_SECONDS } from '@hissaback/shared/domain/session';
import { describe, expect, test } from 'vitest';
import type { SessionFamilyObject } from './session-family.ts';

const { SESSIONS } = env as unknown as { SESSIONS: DurableObjectNamespace<SessionFamilyObject> };
const USER = '0b7c0d3e-5f0a-4c59-9a44-0f3a52d7c001';
const DAY = 86_400_000;

async function begin(now: number) {
  const sessionId = crypto.randomUUID();
  const stub = SESSIONS.get(SESSIONS.idFromName(sessionId));
  const first = await stub.start(sessionId, USER, now);
  const use = (token: string, at: number) => {
    const { generation, mac } = parts(token);
    return stub.refresh(generation, mac, at);
  };
  return { sessionId, stub, first, use };
}

function parts(token: string) {
  const decoded = decodeRefreshToken(token);
  if (decoded === null) throw new Error('not a refresh token');
  return decoded;
}

function tokenOf(answer: Awaited<ReturnType<SessionFamilyObject['refresh']>>): string {
  if (!('refreshToken' in answer)) throw new Error(answer.outcome);
  return answer.refreshToken;
}

describe('a refresh token', () => {
  test('is rotated at every use, and the session lives on', async () => {
    const now = Date.now();
    const { first, use, stub } = await begin(now);
    const second = tokenOf(await use(first, now + DAY));
    const third = tokenOf(await use(second, now + 2 * DAY));
    expect(new Set([first, second, third]).size).toBe(3);
    expect(await stub.isLive(now + 2 * DAY)).toBe(true);
  });

  test('used by fifty tabs at once has one successor', async () => {
    const now = Date.now();
    const { first, use } = await begin(now);
    const answers = await Promise.all(Array.from({ length: 50 }, () => use(first, now)));
    expect(new Set(answers.map(tokenOf)).size).toBe(1);
    expect(answers.filter((answer) => answer.outcome === 'rotated')).toHaveLength(1);
  });

  test('answers with the same successor within the grace, also after an eviction', async () => {
    const now = Date.now();
    const { first, use, stub } = await begin(now);
    const second = tokenOf(await use(first, now));
    await evictDurableObject(stub);
    expect(await use(first, now + REFRESH_GRACE_MS - 1)).toEqual({
      outcome: 'repeated',
      userId: USER,
      refreshToken: second,
    });
  });

  test('that comes back after the grace revokes the family, and the revocation survives an eviction', async () => {
    const now = Date.now();
    const { first, use, stub } = await begin(now);
    const second = tokenOf(await use(first, now));
    expect(await use(first, now + REFRESH_GRACE_MS)).toEqual({ outcome: 'reused', userId: USER });
    await evictDurableObject(stub);
    expect(await stub.isLive(now + REFRESH_GRACE_MS)).toBe(false);
    expect(await use(second, now + REFRESH_GRACE_MS)).toEqual({ outcome: 'refused' });
  });

  test('older than the one before revokes the family even within the grace', async () => {
    const now = Date.now();
    const { first, use, stub } = await begin(now);
    await use(tokenOf(await use(first, now)), now);
    expect(await use(first, now + 1)).toMatchObject({ outcome: 'reused' });
    expect(await stub.isLive(now + 1)).toBe(false);
  });

  test('that is forged decides nothing: neither a wrong proof nor a number that was never handed out', async () => {
    const now = Date.now();
    const { first, use, stub } = await begin(now);
    await use(tokenOf(await use(first, now)), now);
    for (const generation of [0, 1, 2, 3, 4_294_967_295]) {
      expect(await stub.refresh(generation, new Uint8Array(32), now + DAY)).toEqual({ outcome: 'refused' });
    }
    const other = await begin(now);
    const { generation, mac } = parts(other.first);
    expect(await stub.refresh(generation, mac, now + DAY)).toEqual({ outcome: 'refused' });
    expect(await stub.isLive(now + DAY)).toBe(true);
  });

  test('is over after 30 days without a use', async () => {
    const now = Date.now();
    const { first, use, stub } = await begin(now);
    const end = now + SESSION_SECONDS * 1000;
    expect(await stub.isLive(end - 1)).toBe(true);
    expect(await stub.isLive(end)).toBe(false);
    expect(await use(first, end)).toEqual({ outcome: 'refused' });
  });
});

describe('a session', () => {
  test('that never was is not live, and asking writes nothing', async () => {
    const stub = SESSIONS.get(SESSIONS.idFromName(crypto.randomUUID()));
    expect(await stub.isLive(Date.now())).toBe(false);
    await stub.revoke(Date.now());
    expect(await stub.refresh(0, new Uint8Array(32), Date.now())).toEqual({ outcome: 'refused' });
    await runInDurableObject(stub, (_, state) => expect([...state.storage.kv.list()]).toEqual([]));
  });

  test('begins once', async () => {
    const { sessionId, stub } = await begin(Date.now());
    await runInDurableObject(stub, async (instance) => {
      await expect(instance.start(sessionId, USER, Date.now())).rejects.toThrow('begun before');
    });
  });

  test('is logged out by any token it ever handed out, and by no other', async () => {
    const now = Date.now();
    const { first, use, stub } = await begin(now);
    await use(first, now);
    expect(await stub.logOut(0, new Uint8Array(32), now)).toBeNull();
    expect(await stub.isLive(now)).toBe(true);
    const { generation, mac } = parts(first);
    expect(await stub.logOut(generation, mac, now)).toBe(USER);
    expect(await stub.isLive(now)).toBe(false);
  });

  test('keeps no token, and no secret once revoked', async () => {
    const now = Date.now();
    const { first, stub, use } = await begin(now);
    const second = tokenOf(await use(first, now));
    await runInDurableObject(stub, (_, state) => {
      const kept = JSON.stringify([...state.storage.kv.list()]);
      expect(kept).toContain(USER);
      for (const token of [first, second]) expect(kept).not.toContain(token);
    });
    await stub.revoke(now);
    await runInDurableObject(stub, (_, state) => {
      const session = state.storage.kv.get<{ secret: Uint8Array }>('session');
      expect(session?.secret.length).toBe(0);
    });
  });

  test('is remembered as revoked for 30 days, then forgotten by its alarm, twice as well (fault 37)', async () => {
    const { stub } = await begin(Date.now());
    await stub.revoke(Date.now());
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    await runInDurableObject(stub, (_, state) => expect([...state.storage.kv.list()]).toHaveLength(1));

    const past = await begin(Date.now());
    await runInDurableObject(past.stub, async (instance, state) => {
      await instance.revoke(Date.now() - 30 * DAY - 1);
      await instance.alarm();
      expect([...state.storage.kv.list()]).toEqual([]);
      expect(await state.storage.getAlarm()).toBeNull();
      await instance.alarm();
    });
  });
});
