import { listCampaigns, TrackierError } from '@hissaback/shared/clients/trackier';
import { replaceOffers } from '@hissaback/shared/db/queries/offer-sync';
import type { Database } from '@hissaback/shared/db/types';
import { type OfferTerms, offerTerms } from '@hissaback/shared/domain/offer-terms';
import type { Deps } from './deps.ts';
import { pause } from './pause.ts';

const PAGE = 1_000;
const MOST_PAGES = 100;
/** The network allows 5 requests a second. */
const BETWEEN_PAGES_MS = 250;

/**
 * Fetches every page of the network's campaigns, then puts them in place at once: a list that did not arrive whole changes
 * nothing. Offers that disappeared are `gone`, and the links to them rest until they are back.
 */
export async function syncOffers(db: Database, env: WebhookEnv, deps: Deps): Promise<Record<string, number>> {
  const config = { endpoint: env.TRACKIER_ENDPOINT, apiKey: env.TRACKIER_API_KEY, fetch: deps.fetch };
  const offers = new Map<number, OfferTerms>();
  let unreadable = 0;
  let rows = 0;
  for (let page = 1; ; page++) {
    if (page > MOST_PAGES) throw new TrackierError(200, `more than ${MOST_PAGES * PAGE} campaigns`);
    const list = await listCampaigns(config, page, PAGE);
    rows += list.rows;
    unreadable += list.unreadable;
    for (const campaign of list.campaigns) {
      const terms = offerTerms(campaign);
      if (terms === null) unreadable += 1;
      else offers.set(terms.offer_id, terms);
    }
    if (rows >= list.count) break;
    if (list.rows === 0) throw new TrackierError(200, `the list ended after ${rows} of ${list.count} campaigns`);
    await pause(BETWEEN_PAGES_MS);
  }
  // An empty list is an answer gone wrong far more often than a network without campaigns.
  if (offers.size === 0) throw new TrackierError(200, 'the network lists no campaign that can be an offer');
  const { written, gone } = await db.transaction((tx) => replaceOffers(tx, [...offers.values()], deps.clock.now()));
  return { offers: written, gone, unreadable };
}
