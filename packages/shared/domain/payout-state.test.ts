import { describe, expect, it } from 'vitest';
import type { AgcodOutcome } from './agcod-outcome.ts';
import { accountSign, decide } from './payout-state.ts';

const MINUTE = 60_000;
const ERROR = { code: 'F200', type: 'MaxAmountExceeded' };
const REFUSED: AgcodOutcome = { kind: 'refused', error: ERROR };
const UNKNOWN: AgcodOutcome = { kind: 'unknown', error: { code: 'F500', type: 'GeneralError' }, alarming: false };
const HELD: AgcodOutcome = { kind: 'held', error: { code: 'F300', type: 'InsufficientFunds' } };
const at = (outcome: AgcodOutcome, number: number) =>
  decide(outcome, { number, startedAt: 1_000 }, 5_000, 5 * MINUTE, 0);

describe('money rule 14: what an outcome does to a payout', () => {
  it('an input error is terminal as the first answer only; later it is asked again and operators are told', () => {
    expect(at(REFUSED, 1)).toMatchObject({ to: 'error_hard', alarm: 'refused' });
    expect(at(REFUSED, 2)).toMatchObject({ to: 'sending', alarm: 'refused_later' });
    expect(at(REFUSED, 11)).toMatchObject({ to: 'error_soft', alarm: 'refused_later' });
  });

  it('an amount mismatch never returns the money, not even as the first answer', () => {
    expect(at({ kind: 'mismatch', error: ERROR }, 1)).toMatchObject({ to: 'sending', alarm: 'mismatch' });
  });

  it('a refunded card is cancelled, never delivered', () => {
    expect(at({ kind: 'refunded', gcId: '1' }, 3)).toEqual({ to: 'cancelled', gcId: '1', alarm: 'refunded' });
  });
});

describe('spec section 5: retries', () => {
  it('the next attempt is counted from the begin of this one', () => {
    expect(at(UNKNOWN, 1)).toMatchObject({
      to: 'sending',
      nextAttemptAt: 1_000 + 3 * MINUTE,
      attempts: 1,
      alarm: null,
    });
  });

  it('the tenth failure, and each after it, is error_soft', () => {
    expect(at(UNKNOWN, 9)).toMatchObject({ to: 'sending' });
    for (const number of [10, 11, 12])
      expect(at(UNKNOWN, number)).toMatchObject({ to: 'error_soft', attempts: number });
  });

  it('throttling counts as no attempt', () => {
    expect(at({ kind: 'throttled' }, 1)).toMatchObject({ to: 'sending', attempts: 0, nextAttemptAt: 5_000 + 15_000 });
    expect(at({ kind: 'throttled' }, 4)).toMatchObject({ attempts: 3 });
  });

  it('being held does not use up the schedule, but a refusal after it is not the first answer', () => {
    expect(at(HELD, 1)).toMatchObject({ to: 'held', attempts: 1 });
    expect(at(HELD, 7)).toMatchObject({ to: 'held', attempts: 6, nextAttemptAt: 5_000 + 5 * MINUTE });
  });
});

it('money rule 16: only account trouble opens the breaker, only a settled answer closes it', () => {
  expect(accountSign(HELD)).toBe('trouble');
  expect([UNKNOWN, { kind: 'throttled' } as const].map(accountSign)).toEqual(['unclear', 'unclear']);
  expect(accountSign({ kind: 'issued', gcId: '1', claimCode: 'c' })).toBe('works');
  expect(accountSign(REFUSED)).toBe('works');
});
