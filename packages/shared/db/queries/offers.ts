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
  preview_url: string | null;
};

/** The offers one can promote now, by number, from behind `after`. They are the network's: every tenant sees the same. */
export async function listOffers(
  tx: Tx,
  params: { category?: string | undefined; after?: number | undefined; limit: number },
): Promise<OfferRow[]> {
  const { rows } = await tx.query<OfferRow>(
    `select offer_id, brand, title, category, model, currency, base_commission_pct, fixed_commission, preview_url from offers
     where status = 'active' and ($1::text is null or category = $1) and offer_id > $2 order by offer_id limit $3`,
    [params.category ?? null, params.after ?? 0, params.limit],
  );
  return rows;
}

/** True if the offer can be promoted now. */
export async function isOfferActive(tx: Tx, params: { offer_id: number }): Promise<boolean> {
  const { rowCount } = await tx.query("select 1 from offers where offer_id = $1 and status = 'active'", [
    params.offer_id,
  ]);
  return rowCount > 0;
}
