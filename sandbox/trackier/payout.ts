import { fromMinor, toMinor } from '../kit/decimal.ts';
import type { Campaign, CampaignPayout } from './model.ts';

/**
 * What the network pays for a sale, as decimal text in the campaign's currency: for model `cps` a percentage of
 * `saleAmount` (decimal text) rounded half up to hundredths, for the others a fixed amount. A goal's payout and one for
 * the country win over the general one.
 */
export function payoutFor(campaign: Campaign, saleAmount: string, goalId: string | null, country: string): string {
  const goal = campaign.goals.find(({ id }) => id === goalId);
  const payouts = goal !== undefined && goal.payouts.length > 0 ? goal.payouts : campaign.payouts;
  const rule = payouts.find(({ geo }) => geo.includes(country)) ?? payouts.find(({ geo }) => geo.includes('ALL'));
  if (rule === undefined) return '0.00';
  if (campaign.model === 'cps' && rule.fixedPayout === null) return percentage(rule, saleAmount);
  return fromMinor(toMinor(String(rule.fixedPayout ?? rule.payout)) ?? 0n);
}

function percentage(rule: CampaignPayout, saleAmount: string): string {
  const basisPoints = toMinor(String(rule.payout)) ?? 0n;
  const sale = toMinor(saleAmount) ?? 0n;
  return fromMinor((sale * basisPoints + 5000n) / 10_000n);
}
