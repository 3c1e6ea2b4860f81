import type { OfferTerms } from '../../domain/offer-terms.ts';
import type { Tx } from '../types.ts';

/**
 * Puts one complete list of the network's offers in place: new ones, changed ones, and those that disappeared as `gone`, all or nothing.
 * `cool_off_days` is ours and stays.
 * @param kept ids that are not gone although they are not among `offers`
 * @param at milliseconds since the Unix epoch
 * @returns how many were written, and which are gone or back since the last list
 */
export async function replaceOffers(
  tx: Tx,
  offers: readonly OfferTerms[],
  kept: readonly number[] | 'all',
  at: number,
): Promise<{ written: number; gone: number[]; back: number[] }> {
  // Of two syncs at once the second sees what the first has put in place: nothing is gone or back twice.
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('hissaback.offer-sync', 0))`);
  const { rows } = await tx.query<{ written: bigint; gone: number[]; back: number[] }>(
    `with back as (
       select offer_id from offers where status = 'gone' and offer_id = any($3::int[])
     ),
     written as (
       insert into offers as o (offer_id, brand, category, title, merchant, model, currency, base_commission_pct, fixed_commission, country_commissions,
         tracking_link, preview_url, status, synced_at)
       select r.offer_id, r.brand, r.category, r.title, r.merchant, r.model, r.currency, r.base_commission_pct, r.fixed_commission, r.country_commissions,
         r.tracking_link, r.preview_url, 'active', $2
       from jsonb_to_recordset($1::jsonb) as r(offer_id int, brand text, category text, title text, merchant text, model text, currency text,
         base_commission_pct numeric, fixed_commission numeric, country_commissions jsonb, tracking_link text, preview_url text)
       order by r.offer_id
       on conflict (offer_id) do update set brand = excluded.brand, category = excluded.category, title = excluded.title, merchant = excluded.merchant,
         model = excluded.model, currency = excluded.currency, base_commission_pct = excluded.base_commission_pct,
         fixed_commission = excluded.fixed_commission, country_commissions = excluded.country_commissions, tracking_link = excluded.tracking_link,
         preview_url = excluded.preview_url, status = 'active', synced_at = excluded.synced_at
       returning 1
     ),
     gone as (
       update offers set status = 'gone', synced_at = $2
       where network = 'trackier' and status = 'active' and not $5 and not offer_id = any($3::int[]) and not offer_id = any($4::int[])
       returning offer_id
     )
     select (select count(*) from written) as written, array(select offer_id from gone order by 1) as gone,
       array(select offer_id from back order by 1) as back`,
    [
      JSON.stringify(offers),
      new Date(at),
      offers.map((offer) => offer.offer_id),
      kept === 'all' ? [] : kept,
      kept === 'all',
    ],
  );
  return { written: Number(rows[0]?.written ?? 0n), gone: rows[0]?.gone ?? [], back: rows[0]?.back ?? [] };
}

/** A page of the list in the making; `total` is how many campaigns the network says there are, `kept` the ids listed in a form that cannot be read. */
export type OfferPage = {
  page: number;
  total: number;
  rows: number;
  unreadable: number;
  offers: OfferTerms[];
  kept: number[];
};

/** The pages that a sync begun after `since` (milliseconds since the Unix epoch) has kept so far, without gap from the first. */
export async function keptOfferPages(tx: Tx, since: number): Promise<OfferPage[]> {
  const { rows } = await tx.query<OfferPage>(
    'select page, total, rows, unreadable, offers, kept from offer_sync_pages where begun_at > $1 order by page',
    [new Date(since)],
  );
  return rows.filter((row, index) => row.page === index + 1 && row.total === rows[0]?.total);
}

/** Keeps a page; the first one begins a new list and forgets whatever another run left. */
export async function keepOfferPage(tx: Tx, page: OfferPage, begunAt: number): Promise<void> {
  if (page.page === 1) await dropOfferPages(tx);
  await tx.query(
    `insert into offer_sync_pages (page, begun_at, total, rows, unreadable, offers, kept) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (page) do update set begun_at = excluded.begun_at, total = excluded.total, rows = excluded.rows, unreadable = excluded.unreadable,
       offers = excluded.offers, kept = excluded.kept`,
    [page.page, new Date(begunAt), page.total, page.rows, page.unreadable, JSON.stringify(page.offers), page.kept],
  );
}

export async function dropOfferPages(tx: Tx): Promise<void> {
  await tx.query('delete from offer_sync_pages');
}
