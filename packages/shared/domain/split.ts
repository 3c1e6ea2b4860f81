import { type BasisPoints, type Paise, parseBasisPoints, parsePaise, shareOf, WHOLE } from './money.ts';

/** The rounding rule, written once: the shopper's share is cut off below the paisa and the creator has the rest. */
export interface Split {
  readonly user: Paise;
  readonly creator: Paise;
}

/**
 * Splits a net commission between shopper and creator; the two always sum to it exactly.
 * @param net paise, not negative
 * @param share the shopper's share in basis points, 0 to 10,000 (`campaigns.share_pct`)
 */
export function splitCommission(net: Paise, share: BasisPoints): Split {
  if (net < 0n) throw new RangeError('a net commission is not negative');
  if (share < 0n || share > WHOLE) throw new RangeError('a share is between 0 and 10,000 basis points');
  const user = shareOf(net, share);
  return { user, creator: net - user };
}

/** What an offer pays for a sale: a percentage of it (model cps) or an amount (every other model): money rule 6. */
export type Commission = { readonly pct: BasisPoints } | { readonly fixed: Paise };

/** The offer's commission for the country of a conversion; `countries` is `offers.country_commissions`. */
export function commissionFor(
  offer: { pct: string | null; fixed: string | null; countries: Record<string, { pct?: string; fixed?: string }> },
  country: string | null,
): Commission {
  const special = country === null ? undefined : offer.countries[country];
  const pct = special?.pct ?? (special?.fixed === undefined ? offer.pct : null);
  if (pct !== null && pct !== undefined) return { pct: parseBasisPoints(pct) };
  return { fixed: parsePaise(special?.fixed ?? offer.fixed ?? '0') };
}

/** What the network pays in all, before the platform's fee: its own word (`payout`) when it sent one. Paise. */
export function grossCommission(orderValue: Paise, payout: Paise | null, commission: Commission): Paise {
  if (payout !== null) return payout;
  return 'pct' in commission ? shareOf(orderValue, commission.pct) : commission.fixed;
}

/** The gross commission parted into the platform's fee (cut off below the paisa) and what is shared. Paise. */
export function takeFee(gross: Paise, fee: BasisPoints): { fee: Paise; net: Paise } {
  const cut = shareOf(gross, fee);
  return { fee: cut, net: gross - cut };
}

/** A worth after its shopper's share fell to the platform: rounded as a split is. Paise. */
export function forfeit(worth: { net: Paise; fee: Paise }, share: BasisPoints): { net: Paise; fee: Paise } {
  const { user, creator } = splitCommission(worth.net, share);
  return { net: creator, fee: worth.fee + user };
}
