import type { OFFER_MODELS } from '../../contracts/offers.ts';
import type { Tx } from '../types.ts';

export type OfferRow = {
  offer_id: number;
  brand: string;
  title: string;
  category: string | null;
  model: (typeof OFFER_MODELS)[number];
  currency: string;
  base_commission_pct: string | null;
  fixed_commission: string | null;
  country_commissions: Record<string, { pct?: string; fixed?: string }>;
  cool_off_days: number;
  preview_url: string | null;
};

/** The offers one can promote now, by number, from behind `after`. They are the network's: every tenant sees the same. */
export async function listOffers(
  tx: Tx,
  params: {
    category?: string | undefined;
    /** A part of brand or title, in whatever capitals. */
    search?: string | undefined;
    after?: number | undefined;
    limit: number;
  },
): Promise<OfferRow[]> {
  const { rows } = await tx.query<OfferRow>(
    `select offer_id, brand, title, category, model, currency, base_commission_pct, fixed_commission, country_commissions, cool_off_days, preview_url
     from offers
     where status = 'active' and ($1::text is null or category = $1) and offer_id > $2
       and ($4::text is null or position(lower($4) in lower(brand || ' ' || title)) > 0)
     order by offer_id limit $3`,
    [params.category ?? null, params.after ?? 0, params.limit, params.search ?? null],
  );
  return rows;
}

/** The categories of the offers one can promote now, by name, and how many each has. */
export async function offerCategories(tx: Tx): Promise<{ category: string; offers: bigint }[]> {
  const { rows } = await tx.query<{ category: string; offers: bigint }>(
    `select category, count(*) as offers from offers where status = 'active' and category is not null
     group by category order by category`,
  );
  return rows;
}

/** The network's tracking link of an offer that can be promoted now, or null. */
export async function activeTrackingLink(tx: Tx, params: { offer_id: number }): Promise<string | null> {
  const { rows } = await tx.query<{ tracking_link: string }>(
    "select tracking_link from offers where offer_id = $1 and status = 'active'",
    [params.offer_id],
  );
  return rows[0]?.tracking_link ?? null;
}
