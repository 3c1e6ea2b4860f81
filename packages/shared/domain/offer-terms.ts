import { parseNetworkAmount } from './money.ts';

/** A network's campaign, as far as an offer needs it; payouts in decimal text. */
export type NetworkCampaign = {
  id: number;
  title: string;
  currency?: string | null | undefined;
  model: 'cpa' | 'cpi' | 'cpc' | 'cpm' | 'cps';
  tracking_link?: string | null | undefined;
  preview_url?: string | null | undefined;
  categories?: string[] | null | undefined;
  payouts?:
    | {
        payout?: string | null | undefined;
        fixedPayout?: string | null | undefined;
        geo?: string[] | null | undefined;
      }[]
    | null
    | undefined;
};

/** An offer's row, without what is ours (`cool_off_days`). Amounts and percentages in decimal text. */
export type OfferTerms = {
  offer_id: number;
  brand: string;
  title: string;
  merchant: string;
  category: string | null;
  model: NetworkCampaign['model'];
  currency: string;
  base_commission_pct: string | null;
  fixed_commission: string | null;
  country_commissions: Record<string, { pct?: string; fixed?: string }>;
  tracking_link: string;
  preview_url: string | null;
};

/**
 * What a campaign of the network is as an offer, or null if it cannot be one: no tracking link, no payout, or a percentage above
 * 100. Percent applies to `cps` only; a currency of null means USD (money rule 6, facts: Trackier).
 */
export function offerTerms(campaign: NetworkCampaign): OfferTerms | null {
  const link = campaign.tracking_link ?? '';
  if (!/^https?:\/\//.test(link)) return null;
  const currency = (campaign.currency ?? 'USD').toUpperCase();
  if (!/^[A-Z]{3}$/.test(currency)) return null;
  const isPercent = campaign.model === 'cps';
  let base: string | null = null;
  const countries: OfferTerms['country_commissions'] = {};
  for (const payout of campaign.payouts ?? []) {
    const text = commission(isPercent ? payout.payout : (payout.fixedPayout ?? payout.payout), isPercent);
    if (text === null) return null;
    const geo = (payout.geo ?? []).map((country) => country.toUpperCase());
    if (geo.length === 0 || geo.includes('ALL')) base = text;
    for (const country of geo)
      if (/^[A-Z]{2}$/.test(country)) countries[country] = isPercent ? { pct: text } : { fixed: text };
  }
  if (base === null) {
    if (Object.keys(countries).length === 0) return null;
    base = '0.00';
  }
  const brand = campaign.title.trim().slice(0, 200);
  if (brand === '') return null;
  return {
    offer_id: campaign.id,
    brand,
    title: campaign.title.trim().slice(0, 300),
    merchant: brand.toLowerCase(),
    category: campaign.categories?.[0]?.toLowerCase().slice(0, 120) ?? null,
    model: campaign.model,
    currency,
    base_commission_pct: isPercent ? base : null,
    fixed_commission: isPercent ? null : base,
    country_commissions: countries,
    tracking_link: link,
    preview_url: campaign.preview_url ?? null,
  };
}

function commission(text: string | null | undefined, isPercent: boolean): string | null {
  const hundredths = parseNetworkAmount(text ?? '');
  if (hundredths === null || (isPercent && hundredths > 10_000n)) return null;
  return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, '0')}`;
}
