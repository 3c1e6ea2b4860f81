import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixedClock, seededRandom } from './chance.fake.ts';
import { clickIdTime, ID_EPOCH_MS, mintClickId, mintId, parseClickId } from './click-id.ts';

const NOW = Date.parse('2026-10-15T12:00:00.123Z');
const times = fc.integer({ min: ID_EPOCH_MS + 1, max: Date.UTC(2093, 0, 1) });

describe('a click id', () => {
  it('carries its time to the millisecond (money rule 3)', () => {
    fc.assert(
      fc.property(times, fc.nat(), (time, seed) => {
        const id = mintClickId(fixedClock(time), seededRandom(seed));
        expect(clickIdTime(id)).toBe(time);
        expect(id > 0n && id < 2n ** 63n).toBe(true);
      }),
    );
  });

  it('has the layout that SQL decodes', () => {
    const allOnes = { bytes: (length: number) => new Uint8Array(length).fill(255) };
    expect(mintId(fixedClock(ID_EPOCH_MS + 5), allOnes)).toBe((5n << 22n) | 0x3fffffn);
  });

  it('sorts by time', () => {
    fc.assert(
      fc.property(times, times, (a, b) => {
        fc.pre(a < b);
        expect(mintId(fixedClock(a), seededRandom(a)) < mintId(fixedClock(b), seededRandom(b))).toBe(true);
      }),
    );
  });

  it('hardly ever repeats within a millisecond', () => {
    const random = seededRandom(1);
    const ids = new Set(Array.from({ length: 100 }, () => mintId(fixedClock(NOW), random)));
    expect(ids.size).toBe(100);
  });

  it.each([ID_EPOCH_MS, 0, Date.UTC(2094, 0, 1)])('is not minted by a clock at %d', (time) => {
    expect(() => mintId(fixedClock(time), seededRandom(1))).toThrow(RangeError);
  });
});

describe('a bare click id from outside', () => {
  it('is read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: ID_EPOCH_MS + 1, max: NOW }), fc.nat(), (time, seed) => {
        const id = mintId(fixedClock(time), seededRandom(seed));
        expect(parseClickId(id.toString(), NOW)).toBe(id);
      }),
    );
  });

  it.each([
    '',
    '0',
    '-1',
    '+1',
    '01',
    '1.0',
    '1e3',
    ' 1',
    '1 ',
    '0x1',
    '١',
    '9223372036854775808',
    '99999999999999999999',
  ])('is refused as %j', (text) => {
    expect(parseClickId(text, Date.UTC(2100, 0, 1))).toBeNull();
  });

  it('may be five minutes ahead of us, not more', () => {
    const at = (ms: number) => mintId(fixedClock(NOW + ms), seededRandom(1)).toString();
    expect(parseClickId(at(5 * 60_000), NOW)).not.toBeNull();
    expect(parseClickId(at(5 * 60_000 + 1), NOW)).toBeNull();
  });

  it('never throws (property)', () => {
    fc.assert(fc.property(fc.string({ maxLength: 30 }), (text) => void parseClickId(text, NOW)));
  });
});
