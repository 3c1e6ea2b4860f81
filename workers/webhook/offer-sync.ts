import { listCampaigns, TrackierError } from '@hissaback/shared/clients/trackier';
import { insertNotices, type NewNotice, type NoticeKind, tenantsPromoting } from '@hissaback/shared/db/queries/notices';
import {
  dropOfferPages,
  keepOfferPage,
  keptOfferPages,
  type OfferPage,
  replaceOffers,
} from '@hissaback/shared/db/queries/offer-sync';
import type { Database, Tx } from '@hissaback/shared/db/types';
import { mintId } from '@hissaback/shared/domain/click-id';
import { type OfferTerms, offerTerms } from '@hissaback/shared/domain/offer-terms';
import type { Deps } from './deps.ts';
import { callNetwork } from './network-call.ts';

const PAGE = 1_000;
const MOST_PAGES = 100;
/** Pages that a run left behind are good for this long; then the list is fetched anew. */
const PAGES_LAST_MS = 30 * 60_000;

/**
 * Fetches every page of the network's campaigns, then puts them in place at once: a list that did not arrive whole changes nothing, and a run
 * that died is continued at the page where it stood. Offers that disappeared are `gone`, the links to them rest until they are back, and their
 * creators get a notice. One that is listed in a form that cannot be read stays as it is; and where a row stands on two pages the list moved while it was
 * read, so another row may have been missed: then nothing is taken for gone.
 * @throws TrackierError
 */
export async function syncOffers(db: Database, env: WebhookEnv, deps: Deps): Promise<Record<string, number>> {
  const pages = await fetchPages(db, env, deps);
  const offers = new Map<number, OfferTerms>();
  for (const page of pages) for (const offer of page.offers) offers.set(offer.offer_id, offer);
  const duplicates = pages.reduce((sum, page) => sum + page.offers.length, 0) - offers.size;
  const unreadable = pages.reduce((sum, page) => sum + page.unreadable, 0);
  // An empty list is an answer gone wrong far more often than a network without campaigns.
  if (offers.size === 0) {
    await db.transaction((tx) => dropOfferPages(tx));
    throw new TrackierError(200, 'the network lists no campaign that can be an offer');
  }
  return db.transaction(async (tx) => {
    const now = deps.clock.now();
    const kept = duplicates > 0 ? 'all' : pages.flatMap((page) => page.kept);
    const { written, gone, back } = await replaceOffers(tx, [...offers.values()], kept, now);
    const notices = [
      ...(await noticesFor(tx, 'offer_gone', gone, deps)),
      ...(await noticesFor(tx, 'offer_back', back, deps)),
    ];
    await insertNotices(tx, notices, now);
    await dropOfferPages(tx);
    return { offers: written, gone: gone.length, back: back.length, unreadable, duplicates, notices: notices.length };
  });
}

async function fetchPages(db: Database, env: WebhookEnv, deps: Deps): Promise<OfferPage[]> {
  /** The pages so far are worth nothing: the next run begins with the first. */
  const giveUp = async (reason: string): Promise<never> => {
    await db.transaction((tx) => dropOfferPages(tx));
    throw new TrackierError(200, reason);
  };
  const config = { endpoint: env.TRACKIER_ENDPOINT, apiKey: env.TRACKIER_API_KEY, fetch: deps.fetch };
  const pages = await db.transaction((tx) => keptOfferPages(tx, deps.clock.now() - PAGES_LAST_MS));
  for (let seen = pages.reduce((sum, page) => sum + page.rows, 0); ; ) {
    const total = pages.at(-1)?.total;
    if (total !== undefined && seen >= total) return pages;
    const page = pages.length + 1;
    if (page > MOST_PAGES) await giveUp(`more than ${MOST_PAGES * PAGE} campaigns`);
    const list = await callNetwork(deps, () => listCampaigns(config, page, PAGE));
    if (list.rows === 0 && seen < list.count) await giveUp(`the list ended after ${seen} of ${list.count} campaigns`);
    const terms = list.campaigns.map((campaign) => ({ campaign, offer: offerTerms(campaign) }));
    const unfit = terms.filter(({ offer }) => offer === null);
    const fetched: OfferPage = {
      page,
      total: list.count,
      rows: list.rows,
      unreadable: list.unreadable + unfit.length,
      offers: terms.flatMap(({ offer }) => offer ?? []),
      // Without a tracking link it may no longer be promoted; everything else that is wrong with a row says nothing about that.
      kept: [
        ...list.unreadableIds,
        ...unfit.filter(({ campaign }) => (campaign.tracking_link ?? '') !== '').map(({ campaign }) => campaign.id),
      ],
    };
    // A list that grew or shrank between two pages may have moved rows across the border: it is read again from the first.
    if (total !== undefined && total !== list.count) await giveUp('the list of campaigns changed while it was read');
    await db.transaction((tx) => keepOfferPage(tx, fetched, deps.clock.now()));
    pages.push(fetched);
    seen += list.rows;
  }
}

async function noticesFor(tx: Tx, kind: NoticeKind, offerIds: readonly number[], deps: Deps): Promise<NewNotice[]> {
  return (await tenantsPromoting(tx, offerIds)).map((row) => ({
    noticeId: mintId(deps.clock, deps.random),
    tenantId: row.tenant_id,
    kind,
    offerId: row.offer_id,
    details: { links: row.links },
  }));
}
