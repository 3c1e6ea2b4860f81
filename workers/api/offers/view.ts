import type { Offer } from '@hissaback/shared/contracts/offers';
import type { OfferRow } from '@hissaback/shared/db/queries/offers';
import { type BasisPoints, formatBasisPoints, formatPaise } from '@hissaback/shared/domain/money';
import { commissionFor, splitCommission, takeFee } from '@hissaback/shared/domain/split';

/** An offer as the API shows it: its commission in `country`, and how shopper and creator would part it. `share` and `fee` in basis points. */
export function offerView(
  row: OfferRow,
  { share, fee, country }: { share: BasisPoints; fee: BasisPoints; country: string | null },
): Offer {
  const commission = commissionFor(
    { pct: row.base_commission_pct, fixed: row.fixed_commission, countries: row.country_commissions },
    country,
  );
  // A percentage is parted by the same rule as an amount of money: both have two decimals.
  const whole = 'pct' in commission ? commission.pct : commission.fixed;
  const { user, creator } = splitCommission(takeFee(whole, fee).net, share);
  const isPercent = 'pct' in commission;
  return {
    offer_id: row.offer_id,
    brand: row.brand,
    commission_pct: isPercent ? formatBasisPoints(whole) : null,
    title: row.title,
    category: row.category,
    model: row.model,
    currency: row.currency,
    fixed_commission: isPercent ? null : formatPaise(whole),
    shopper_pct: isPercent ? formatBasisPoints(user) : null,
    creator_pct: isPercent ? formatBasisPoints(creator) : null,
    shopper_fixed: isPercent ? null : formatPaise(user),
    creator_fixed: isPercent ? null : formatPaise(creator),
    cool_off_days: row.cool_off_days,
    preview_url: row.preview_url,
  };
}
