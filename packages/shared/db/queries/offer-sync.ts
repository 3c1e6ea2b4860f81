import type { OfferTerms } from '../../domain/offer-terms.ts';
import type { Tx } from '../types.ts';

/**
 * Puts one complete list of the network's offers in place: new ones, changed ones, and those that disappeared as `gone`, all or nothing.
 * `cool_off_days` is ours and stays. `at` in milliseconds since the Unix epoch.
 */
export async function replaceOffers(
  tx: Tx,
  offers: readonly OfferTerms[],
  at: number,
): Promise<{ written: number; gone: number }> {
  const { rows } = await tx.query<{ written: bigint; gone: bigint }>(
    `with written as (
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
       where network = 'trackier' and status = 'active' and not offer_id = any($3::int[]) returning 1
     )
     select (select count(*) from written) as written, (select count(*) from gone) as gone`,
    [JSON.stringify(offers), new Date(at), offers.map((offer) => offer.offer_id)],
  );
  return { written: Number(rows[0]?.written ?? 0n), gone: Number(rows[0]?.gone ?? 0n) };
}
