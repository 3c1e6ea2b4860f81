import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { decodeOtpRequestId, encodeOtpRequestId } from '@hissaback/shared/domain/otp-request-id';
import { describe, expect, test } from 'vitest';
import type { OtpObject } from './otp.ts';

const bindings = env as unknown as { OTP: DurableObjectNamespace<OtpObject> };
const HOUR = 3_600_000;
let phones = 0;

function fresh() {
  const phone = `+9198765${String(phones++).padStart(5, '0')}`;
  return { phone, stub: bindings.OTP.get(bindings.OTP.idFromName(phone)) };
}

async function ask({ phone, stub }: ReturnType<typeof fresh>, now: number) {
  const requested = await stub.request(phone, now);
  if (!requested.ok) throw new Error(requested.reason);
  return { nonce: requested.nonce, code: requested.code };
}

const other = (code: string, by: number): string => String((Number(code) + by) % 1_000_000).padStart(6, '0');

describe('a phone', () => {
  test('is told a code once, and the code tells the phone once', async () => {
    const object = fresh();
    const now = Date.now();
    const { nonce, code } = await ask(object, now);
    expect(code).toMatch(/^\d{6}$/);
    expect(await object.stub.verify(nonce, code, now)).toEqual({ phone: object.phone });
    expect(await object.stub.verify(nonce, code, now)).toBeNull();
  });

  test('is found by its request id alone, which does not contain it', async () => {
    const object = fresh();
    const { nonce, code } = await ask(object, Date.now());
    const text = encodeOtpRequestId({ nonce, objectId: object.stub.id.toString() });
    const request = decodeOtpRequestId(text);
    expect(request).not.toBeNull();
    const found = bindings.OTP.get(bindings.OTP.idFromString(request?.objectId ?? ''));
    expect(await found.verify(request?.nonce ?? new Uint8Array(), code, Date.now())).toEqual({ phone: object.phone });
  });

  test('asks five times an hour and no more, refusals said with their wait', async () => {
    const object = fresh();
    const now = Date.now();
    for (let index = 0; index < 5; index++) await ask(object, now + index * 60_000);
    expect(await object.stub.request(object.phone, now + 5 * 60_000)).toEqual({
      ok: false,
      reason: 'hourly_limit',
      retryAfterMs: HOUR - 5 * 60_000,
    });
  });

  test('that asks twenty times at once gets one code', async () => {
    const object = fresh();
    const now = Date.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => object.stub.request(object.phone, now)));
    expect(answers.filter((answer) => answer.ok)).toHaveLength(1);
  });

  test('whose code was not sent may ask again at once', async () => {
    const object = fresh();
    const now = Date.now();
    const { nonce, code } = await ask(object, now);
    await object.stub.cancel(nonce, 'not_sent');
    expect(await object.stub.verify(nonce, code, now)).toBeNull();
    await ask(object, now);
  });
});

describe('guesses', () => {
  test('fifty at once cannot exceed five checks: the right one after five wrong ones is refused', async () => {
    const object = fresh();
    const now = Date.now();
    const { nonce, code } = await ask(object, now);
    const guesses = Array.from({ length: 50 }, (_, index) => (index === 20 ? code : other(code, index + 1)));
    const answers = await Promise.all(guesses.map((guess) => object.stub.verify(nonce, guess, now)));
    expect(answers.every((answer) => answer === null)).toBe(true);
    await runInDurableObject(object.stub, (_, state) => {
      expect(state.storage.kv.get('state')).toMatchObject({ code: null });
    });
  });

  test('of fifty right ones at once, one verifies', async () => {
    const object = fresh();
    const now = Date.now();
    const { nonce, code } = await ask(object, now);
    const answers = await Promise.all(Array.from({ length: 50 }, () => object.stub.verify(nonce, code, now)));
    expect(answers.filter((answer) => answer !== null)).toHaveLength(1);
  });

  test('made inside the object, with every hash in flight together, cannot exceed five either', async () => {
    const object = fresh();
    const now = Date.now();
    const { nonce, code } = await ask(object, now);
    await runInDurableObject(object.stub, async (instance) => {
      const wrong = Array.from({ length: 5 }, (_, index) => instance.verify(nonce, other(code, index + 1), now));
      const right = Array.from({ length: 45 }, () => instance.verify(nonce, code, now));
      expect((await Promise.all([...wrong, ...right])).every((answer) => answer === null)).toBe(true);
    });
  });

  test('under another request id write nothing', async () => {
    const object = fresh();
    expect(await object.stub.verify(new Uint8Array(16), '123456', Date.now())).toBeNull();
    await runInDurableObject(object.stub, (_, state) => {
      expect([...state.storage.kv.list()]).toEqual([]);
    });
  });
});

describe('what is kept', () => {
  test('survives eviction: checks made before it count after it', async () => {
    const object = fresh();
    const now = Date.now();
    const { nonce, code } = await ask(object, now);
    for (let index = 1; index <= 4; index++) await object.stub.verify(nonce, other(code, index), now);
    await evictDurableObject(object.stub);
    expect(await object.stub.request(object.phone, now + 1)).toMatchObject({ ok: false, reason: 'cooldown' });
    expect(await object.stub.verify(nonce, other(code, 5), now)).toBeNull();
    await evictDurableObject(object.stub);
    expect(await object.stub.verify(nonce, code, now)).toBeNull();
  });

  test('never contains the code', async () => {
    const object = fresh();
    const { code } = await ask(object, Date.now());
    await runInDurableObject(object.stub, (_, state) => {
      const kept = JSON.stringify([...state.storage.kv.list()], (_key, value) =>
        value instanceof Uint8Array ? new TextDecoder().decode(value) : value,
      );
      expect(kept).toContain('"hash"');
      expect(kept.replaceAll(object.phone, '')).not.toContain(code);
    });
  });

  test('is deleted by the alarm when it is an hour old, not before, and a second alarm finds nothing to do (fault 37)', async () => {
    const object = fresh();
    const { nonce, code } = await ask(object, Date.now());
    // Early, twice, and once more behind an eviction: each leaves what is there, and the next alarm set.
    for (let run = 0; run < 3; run++) {
      if (run === 2) await evictDurableObject(object.stub);
      expect(await runDurableObjectAlarm(object.stub)).toBe(true);
    }
    expect(await object.stub.verify(nonce, code, Date.now())).toEqual({ phone: object.phone });

    const past = fresh();
    await runInDurableObject(past.stub, async (instance, state) => {
      await instance.request(past.phone, Date.now() - 2 * HOUR);
      await instance.alarm();
      expect([...state.storage.kv.list()]).toEqual([]);
      expect(await state.storage.getAlarm()).toBeNull();
      await instance.alarm();
      expect([...state.storage.kv.list()]).toEqual([]);
    });
  });

  test('a code made with a key that was rotated out still verifies while the key is listed', async () => {
    const object = fresh();
    const now = Date.now();
    const { nonce, code } = await runInDurableObject(object.stub, async (instance) => {
      const own = instance as unknown as { env: { OTP_KEYS: string } };
      const keys = own.env.OTP_KEYS;
      own.env = { OTP_KEYS: keys.split(',').toReversed().join(',') };
      const requested = await instance.request(object.phone, now);
      own.env = { OTP_KEYS: keys };
      if (!requested.ok) throw new Error(requested.reason);
      return { nonce: requested.nonce, code: requested.code };
    });
    expect(await object.stub.verify(nonce, code, now)).toEqual({ phone: object.phone });
  });
});
