import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LimitState, limitForgottenAt, takeLimit } from './limit.ts';

const NOW = Date.parse('2026-11-02T10:00:00Z');
const HOUR = 3_600_000;
const rule = { limit: 5, windowMs: HOUR };

test('as many pass as the limit says, and what is left is told', () => {
  let state: LimitState = [];
  for (const remaining of [4, 3, 2, 1, 0]) {
    const decision = takeLimit(state, rule, NOW);
    expect(decision).toMatchObject({ allowed: true, remaining });
    state = decision.state;
  }
  expect(takeLimit(state, rule, NOW + 1)).toMatchObject({ allowed: false, remaining: 0 });
});

test('a refused request is not counted, and passes when its wait is over', () => {
  const { state } = takeLimit([], { ...rule, limit: 1 }, NOW);
  const refused = takeLimit(state, { ...rule, limit: 1 }, NOW + 10);
  expect(refused.state).toEqual(state);
  expect(refused.resetMs).toBeLessThanOrEqual(HOUR + HOUR / 60);
  expect(takeLimit(refused.state, { ...rule, limit: 1 }, NOW + 10 + refused.resetMs).allowed).toBe(true);
});

test('a clock that steps back gains nothing', () => {
  const { state } = takeLimit([], { ...rule, limit: 1 }, NOW);
  expect(takeLimit(state, { ...rule, limit: 1 }, NOW - 2 * HOUR).allowed).toBe(false);
});

test('never more than the limit within any window, none refused for longer than window and slice, memory bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: HOUR / 3 }), { maxLength: 100 }), (pauses) => {
      let state: LimitState = [];
      let now = NOW;
      const passed: number[] = [];
      for (const pause of pauses) {
        now += pause;
        const decision = takeLimit(state, rule, now);
        state = decision.state;
        const lately = passed.filter((at) => at > now - HOUR - HOUR / 60).length;
        if (!decision.allowed && lately < rule.limit) return false;
        if (decision.allowed) passed.push(now);
      }
      const within = passed.every(
        (at) => passed.filter((other) => other > at - HOUR && other <= at).length <= rule.limit,
      );
      return within && state.length <= 61;
    }),
  );
});

test('a state is forgotten when it no longer refuses anything', () => {
  const tight = { ...rule, limit: 1 };
  const { state } = takeLimit([], tight, NOW);
  expect(takeLimit(state, tight, limitForgottenAt(state, tight)).allowed).toBe(true);
  expect(takeLimit(state, tight, limitForgottenAt(state, tight) - 1).allowed).toBe(false);
});
