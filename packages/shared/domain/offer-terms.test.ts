import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NetworkCampaign, offerTerms } from './offer-terms.ts';

const campaign = (change: Partial<NetworkCampaign> = {}): NetworkCampaign => ({
  id: 7,
  title: ' Nila Fashion ',
  currency: 'INR',
  model: 'cps',
  tracking_link: 'https://n.example/click?campaign_id=7',
  payouts: [{ payout: '7.5', geo: ['ALL'] }],
  ...change,
});

describe('an offer’s terms', () => {
  test('are percentages for cps and amounts for every other model (money rule 6)', () => {
    expect(offerTerms(campaign())).toMatchObject({ base_commission_pct: '7.50', fixed_commission: null });
    expect(offerTerms(campaign({ model: 'cpa', payouts: [{ payout: '60', fixedPayout: '60.505' }] }))).toMatchObject({
      base_commission_pct: null,
      fixed_commission: '60.50',
    });
    expect(offerTerms(campaign({ model: 'cpi', payouts: [{ payout: '25' }] }))).toMatchObject({
      fixed_commission: '25.00',
    });
  });

  test('keep a country’s own payout beside the one for all others, in capital letters', () => {
    const payouts = [
      { payout: '6.5', geo: ['ALL'] },
      { payout: '9', geo: ['ae', 'SG', 'Nowhere'] },
    ];
    expect(offerTerms(campaign({ payouts }))).toMatchObject({
      base_commission_pct: '6.50',
      country_commissions: { AE: { pct: '9.00' }, SG: { pct: '9.00' } },
    });
    expect(offerTerms(campaign({ payouts: [{ payout: '4', geo: ['IN'] }] }))).toMatchObject({
      base_commission_pct: '0.00',
    });
  });

  test('are in dollars where the network names no currency', () => {
    expect(offerTerms(campaign({ currency: null }))?.currency).toBe('USD');
    expect(offerTerms(campaign({ currency: 'inr' }))?.currency).toBe('INR');
  });

  test('name the merchant by the brand, so that one shop’s order ids are one key (money rule 2)', () => {
    expect(offerTerms(campaign())).toMatchObject({ brand: 'Nila Fashion', merchant: 'nila fashion' });
  });

  test.each([
    ['no tracking link', { tracking_link: '' }],
    ['a link that is none', { tracking_link: 'javascript:alert(1)' }],
    ['no payout', { payouts: [] }],
    ['a percentage above 100', { payouts: [{ payout: '100.01' }] }],
    ['a payout below zero', { payouts: [{ payout: '-1' }] }],
    ['a currency that is none', { currency: 'RUPEE' }],
    ['no title', { title: '  ' }],
  ])('are none with %s', (_, change) => {
    expect(offerTerms(campaign(change))).toBeNull();
  });

  test('never throw', () => {
    const text = fc.option(fc.string(), { nil: null });
    fc.assert(
      fc.property(text, text, text, fc.array(fc.string()), (link, payout, currency, geo) => {
        offerTerms(campaign({ tracking_link: link, currency, payouts: [{ payout, geo }] }));
      }),
    );
  });
});
