import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  recentVelocity,
  recordVelocity,
  VELOCITY_MAX_ENTRIES,
  VELOCITY_WINDOW_MS,
  type VelocityEntry,
} from './velocity.ts';

const NOW = Date.parse('2026-11-02T10:00:00Z');

function recordAll(events: readonly VelocityEntry[]): { entries: readonly VelocityEntry[]; counts: number[] } {
  let entries: readonly VelocityEntry[] = [];
  const counts: number[] = [];
  for (const { alias, at } of events) {
    const recorded = recordVelocity(entries, alias, at);
    entries = recorded.entries;
    counts.push(recorded.count);
  }
  return { entries, counts };
}

const events = fc.array(
  fc.record({ alias: fc.nat(12).map(String), at: fc.integer({ min: NOW, max: NOW + 3 * VELOCITY_WINDOW_MS }) }),
  { maxLength: 40 },
);

describe('velocity (money rule 19)', () => {
  test('counts each alias once, however often it is told', () => {
    expect(
      recordAll([
        { alias: 'a', at: NOW },
        { alias: 'a', at: NOW + 5 },
        { alias: 'b', at: NOW + 9 },
      ]).counts,
    ).toEqual([1, 1, 2]);
  });

  test('counts the 24 hours that end with the conversion, edges exact', () => {
    const first = { alias: 'a', at: NOW };
    expect(recordAll([first, { alias: 'b', at: NOW + VELOCITY_WINDOW_MS - 1 }]).counts).toEqual([1, 2]);
    expect(recordAll([first, { alias: 'b', at: NOW + VELOCITY_WINDOW_MS }]).counts).toEqual([1, 1]);
  });

  test('counts nothing that came after the conversion', () => {
    expect(
      recordAll([
        { alias: 'b', at: NOW + 10 },
        { alias: 'a', at: NOW },
      ]).counts,
    ).toEqual([1, 1]);
  });

  test('answers as a plain count over first times does', () => {
    fc.assert(
      fc.property(events, (list) => {
        const first = new Map<string, number>();
        const { counts } = recordAll(list);
        list.forEach(({ alias, at }, index) => {
          if (!first.has(alias)) first.set(alias, at);
          const end = first.get(alias) ?? at;
          const expected = [...first.values()].filter((time) => time > end - VELOCITY_WINDOW_MS && time <= end).length;
          expect(counts[index]).toBe(expected);
        });
      }),
    );
  });

  test('remembers a bounded number, and a full memory still counts beyond every threshold', () => {
    const many = Array.from({ length: VELOCITY_MAX_ENTRIES + 50 }, (_, index) => ({
      alias: `${index}`,
      at: NOW + index,
    }));
    const { entries, counts } = recordAll(many);
    expect(entries.length).toBe(VELOCITY_MAX_ENTRIES);
    expect(counts.at(-1)).toBeGreaterThanOrEqual(VELOCITY_MAX_ENTRIES);
  });

  test('forgets what is over a day old, and times that cannot be', () => {
    const kept = { alias: 'b', at: NOW - 1 };
    const all = [{ alias: 'a', at: NOW - VELOCITY_WINDOW_MS }, kept, { alias: 'c', at: NOW + 9 * VELOCITY_WINDOW_MS }];
    expect(recentVelocity(all, NOW)).toEqual([kept]);
  });
});
