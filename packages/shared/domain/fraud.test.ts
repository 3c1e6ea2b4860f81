import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_FRAUD_RULES, type FraudInputs, judge, readFraudRules } from './fraud.ts';

const CLEAN: FraudInputs = {
  settingsVersion: 0,
  selfPurchase: false,
  conversionsInWindow: 1,
  velocityAsked: null,
  duplicateOrder: false,
  clickCountry: 'IN',
  conversionCountry: 'IN',
};
const judged = (change: Partial<FraudInputs>, rules = DEFAULT_FRAUD_RULES) => judge({ ...CLEAN, ...change }, rules);

describe('the spec’s rules (section 10)', () => {
  test.each([
    ['nothing', {}, 'clear', 0, []],
    ['a creator’s own purchase', { selfPurchase: true }, 'reject', 0, ['self_purchase']],
    ['four in 24 hours', { conversionsInWindow: 4 }, 'clear', 0, []],
    ['five in 24 hours', { conversionsInWindow: 5 }, 'review', 0, ['velocity']],
    ['an order id seen before', { duplicateOrder: true }, 'reject', 0, ['duplicate_order']],
    ['another country', { conversionCountry: 'AE' }, 'clear', 1, ['country_mismatch']],
    ['an unknown country', { clickCountry: null }, 'clear', 0, []],
    [
      'velocity and a duplicate',
      { conversionsInWindow: 9, duplicateOrder: true },
      'reject',
      0,
      ['velocity', 'duplicate_order'],
    ],
    ['a velocity object that says many', { velocityAsked: 99 }, 'clear', 0, []],
  ] as const)('%s', (_, change, verdict, score, rules) => {
    expect(judged(change)).toEqual({ verdict, score, rules: [...rules] });
  });

  test('review from the score on that is set', () => {
    const rules = { ...DEFAULT_FRAUD_RULES, geography: { enabled: true, points: 3 } };
    expect(judged({ conversionCountry: 'AE' }, rules).verdict).toBe('review');
    expect(judged({ conversionCountry: 'AE' }, { ...rules, reviewScore: 4 }).verdict).toBe('clear');
  });

  test('can be switched off one by one', () => {
    const off = readFraudRules({
      selfPurchase: { enabled: false },
      velocity: { enabled: false },
      duplicateOrder: { enabled: false },
      geography: { enabled: false },
    });
    const all = { selfPurchase: true, conversionsInWindow: 99, duplicateOrder: true, conversionCountry: 'AE' };
    expect(judged(all, off)).toEqual({ verdict: 'clear', score: 0, rules: [] });
  });
});

describe('stored settings', () => {
  test('keep the spec’s value for everything that is missing or malformed', () => {
    expect(readFraudRules(undefined)).toEqual(DEFAULT_FRAUD_RULES);
    expect(readFraudRules({ velocity: { limit: -1, windowHours: 1.5, enabled: 'no' }, reviewScore: '3' })).toEqual(
      DEFAULT_FRAUD_RULES,
    );
    expect(readFraudRules({ velocity: { limit: 2 } }).velocity).toEqual({ enabled: true, limit: 2, windowHours: 24 });
    fc.assert(
      fc.property(fc.anything(), (stored) => {
        expect(Object.keys(readFraudRules(stored))).toEqual(Object.keys(DEFAULT_FRAUD_RULES));
      }),
    );
  });
});
