import { describe, expect, it } from 'vitest';
import { fixedClock, seededRandom } from './chance.fake.ts';
import { systemClock, systemRandom } from './chance.ts';

describe('the system clock and randomness', () => {
  it('tells the machine time in milliseconds', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  });

  it('gives as many bytes as asked for, never the same', () => {
    expect(systemRandom.bytes(16)).toHaveLength(16);
    expect(systemRandom.bytes(16)).not.toEqual(systemRandom.bytes(16));
  });
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
