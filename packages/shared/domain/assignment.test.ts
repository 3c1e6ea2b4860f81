import { describe, expect, test } from 'vitest';
import { assigned, messageAgain, refusalOfAssigned } from './assignment.ts';

const RAW = { click_id: '{click_id}', offer_id: '7', sale_amount: '{sale_amount}', status: 'approved', other: 'kept' };

describe('an assignment', () => {
  test('stands in place of a postback’s words, which becomes the operator’s', () => {
    expect(assigned(RAW, 'postback', { click: '42', sale_amount: '10.00' })).toEqual({
      source: 'operator',
      raw: { ...RAW, click_id: '42', sale_amount: '10.00' },
    });
  });

  test.each(['poll', 'csv'] as const)('names our click as p1 in a row of the network’s (%s)', (source) => {
    expect(assigned({ click_id: 'theirs', p1: '' }, source, { click: '42' })).toEqual({
      source,
      raw: { click_id: 'theirs', p1: '42' },
    });
  });

  test('says why the words are no conversion even so', () => {
    const half = assigned(RAW, 'postback', { click: '42' });
    expect(refusalOfAssigned(half.raw, half.source)).toBe('unsubstituted_macro');
    const whole = assigned(RAW, 'postback', { click: '42', sale_amount: '10.00' });
    expect(refusalOfAssigned(whole.raw, whole.source)).toBeNull();
  });

  test('is sent under the postback’s own id; without one its words go as they are', () => {
    const row = { unmatched_id: 9n, raw: RAW, source: 'postback' as const };
    expect(messageAgain({ ...row, assignment: null })).toMatchObject({
      postback_id: '9',
      source: 'postback',
      raw: RAW,
    });
    expect(messageAgain({ ...row, assignment: { click: '42' } })).toMatchObject({
      ...{ kind: 'event', postback_id: '9', source: 'operator' },
      raw: { click_id: '42' },
    });
  });
});
