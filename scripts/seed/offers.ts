import { type OfferTerms, offerTerms } from '@hissaback/shared/domain/offer-terms';
import { SEED_CAMPAIGNS } from '../../sandbox/trackier/seed.ts';
import { DEMO_TENANT } from './data.ts';

/** The sandbox network's campaigns as the offer sync will write them, for a stack whose sync has not run yet. `trackier` is the network's base URL. */
export function seedOffers(trackier: string): OfferTerms[] {
  return SEED_CAMPAIGNS.map((campaign) => {
    const terms = offerTerms({
      ...campaign,
      tracking_link: `${trackier.replace(/\/$/, '')}/click?campaign_id=${campaign.id}&pub_id=${DEMO_TENANT.trackier_pid}`,
      payouts: campaign.payouts.map(({ payout, fixedPayout, geo }) => ({
        payout: String(payout),
        fixedPayout: fixedPayout === null ? null : String(fixedPayout),
        geo,
      })),
    });
    if (terms === null) throw new Error(`campaign ${campaign.id} of the seed cannot be an offer`);
    return terms;
  });
}
