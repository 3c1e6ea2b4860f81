import { describe, expect, test } from 'vitest';
import { assigned, memberToCorrect, messageAgain, refusalOfAssigned } from './assignment.ts';

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

  test('leaves out what a postback may lack and the network left empty or as a macro, unless it says it', () => {
    const raw = { ...RAW, payout: '', country: '{country}', currency: ' ', goal_id: 'g', txn_id: '{txn_id}' };
    const whole = { click: '42', sale_amount: '10.00' };
    const said = assigned(raw, 'postback', whole);
    expect(said.raw).toEqual({ ...RAW, click_id: '42', sale_amount: '10.00', goal_id: 'g' });
    expect(refusalOfAssigned(said.raw, said.source)).toBeNull();
    expect(assigned(raw, 'postback', { ...whole, txn_id: 'A1' }).raw).toMatchObject({ txn_id: 'A1' });
  });

  test('names the offer as the source does', () => {
    expect(assigned(RAW, 'postback', { click: '42', offer_id: '8' }).raw).toMatchObject({ offer_id: '8' });
    expect(assigned({ campaign_id: 'x' }, 'poll', { click: '42', offer_id: '8' }).raw).toMatchObject({
      campaign_id: '8',
    });
  });

  test.each([
    [{ sale_amount: '{sale_amount}' }, 'sale_amount'],
    [{ sale_amount: 'ten' }, 'sale_amount'],
    [{ payout: '-1' }, 'payout'],
    [{ status: 'declined' }, 'status'],
    [{ status: '{status}' }, 'status'],
    [{ offer_id: 'x' }, 'offer_id'],
    [{ offer_id: '{offer_id}' }, 'offer_id'],
    [{ txn_id: 'x'.repeat(129) }, 'txn_id'],
  ])('says what would put %j right', (change, member) => {
    const said = assigned({ ...RAW, sale_amount: '10.00', ...change }, 'postback', { click: '42' });
    expect(memberToCorrect(said.raw, refusalOfAssigned(said.raw, said.source) ?? '')).toBe(member);
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
