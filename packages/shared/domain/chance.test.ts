import { describe, expect, it } from 'vitest';
import { fixedClock, seededRandom } from './chance.fake.ts';
import { pooled, systemClock, systemRandom } from './chance.ts';

describe('the system clock and randomness', () => {
  it('tells the machine time in milliseconds', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  });

  it('gives as many bytes as asked for, never the same', () => {
    expect(systemRandom.bytes(16)).toHaveLength(16);
    expect(systemRandom.bytes(16)).not.toEqual(systemRandom.bytes(16));
  });
});

it('a pool hands out every byte once, and asks for more when too few are left', () => {
  let asked = 0;
  const counting = {
    bytes: (length: number) => {
      asked += 1;
      return Uint8Array.from({ length }, (_, index) => (asked * 16 + index) % 256);
    },
  };
  const random = pooled(counting, 16);
  expect([random.bytes(3), random.bytes(13), random.bytes(3)]).toEqual([
    Uint8Array.from([16, 17, 18]),
    Uint8Array.from({ length: 13 }, (_, index) => 19 + index),
    Uint8Array.from([32, 33, 34]),
  ]);
  expect(random.bytes(14)[0]).toBe(48);
  expect(random.bytes(17)).toHaveLength(17);
  expect(pooled(systemRandom, 64).bytes(16)).not.toEqual(pooled(systemRandom, 64).bytes(16));
});

describe('their stand-ins', () => {
  it('the clock moves only when told to', () => {
    const clock = fixedClock('2026-10-15T12:00:00Z');
    const start = clock.now();
    expect(clock.now()).toBe(start);
    clock.advance(5);
    expect(clock.now()).toBe(start + 5);
    clock.set(7);
    expect(clock.now()).toBe(7);
    expect(() => fixedClock('noon')).toThrow(RangeError);
  });

  it('the same seed gives the same bytes, another seed others', () => {
    expect(seededRandom(1).bytes(32)).toEqual(seededRandom(1).bytes(32));
    expect(seededRandom(1).bytes(32)).not.toEqual(seededRandom(2).bytes(32));
    const random = seededRandom(1);
    expect(random.bytes(32)).not.toEqual(random.bytes(32));
  });
});
