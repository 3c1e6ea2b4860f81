import type { Campaign, CampaignPayout } from './model.ts';

const everywhere = (payout: number): CampaignPayout[] => [{ payout, fixedPayout: null, geo: ['ALL'] }];
const fixed = (payout: number): CampaignPayout[] => [{ payout, fixedPayout: payout, geo: ['ALL'] }];

type Shop = Pick<Campaign, 'id' | 'title' | 'model' | 'categories' | 'payouts'> & Partial<Campaign>;

function campaign(shop: Shop): Campaign {
  const name = shop.title.toLowerCase().replaceAll(/[^a-z]+/g, '-');
  return {
    currency: 'INR',
    preview_url: `https://www.${name}.example/`,
    landingPage: `https://www.${name}.example/offers`,
    goals: [],
    status: 'active',
    approved: true,
    ...shop,
  };
}

/** The campaigns of a fresh network: percentages for `cps`, amounts for the others. */
export const SEED_CAMPAIGNS: readonly Campaign[] = [
  campaign({ id: 1001, title: 'Nila Fashion', model: 'cps', categories: ['fashion'], payouts: everywhere(8) }),
  campaign({ id: 1002, title: 'Voltkart', model: 'cps', categories: ['electronics'], payouts: everywhere(5) }),
  campaign({
    id: 1003,
    title: 'Safar Stays',
    model: 'cps',
    categories: ['travel'],
    payouts: [...everywhere(6.5), { payout: 9, fixedPayout: null, geo: ['AE', 'SG'] }],
  }),
  campaign({ id: 1004, title: 'Kirana Express', model: 'cpa', categories: ['grocery'], payouts: fixed(60) }),
  campaign({ id: 1005, title: 'Glow Box', model: 'cps', categories: ['beauty'], payouts: everywhere(12) }),
  campaign({
    id: 1006,
    title: 'Desi Threads',
    model: 'cps',
    categories: ['fashion'],
    payouts: everywhere(10),
    goals: [{ id: 'first-order', title: 'First order', payouts: fixed(150) }],
  }),
  campaign({ id: 1007, title: 'Gadget Galaxy', model: 'cpa', categories: ['electronics'], payouts: fixed(250.5) }),
  campaign({
    id: 1008,
    title: 'Sky Fares',
    model: 'cpa',
    categories: ['travel'],
    payouts: [...fixed(120), { payout: 300, fixedPayout: 300, geo: ['US', 'GB'] }],
  }),
  campaign({ id: 1009, title: 'Fresh Basket', model: 'cps', categories: ['grocery'], payouts: everywhere(5.25) }),
  campaign({ id: 1010, title: 'Ayur Care', model: 'cps', categories: ['beauty', 'grocery'], payouts: everywhere(9) }),
  campaign({
    id: 1011,
    title: 'World Gadgets',
    model: 'cps',
    currency: null,
    categories: ['electronics'],
    payouts: everywhere(7),
  }),
  campaign({
    id: 1012,
    title: 'Fit Wallet App',
    model: 'cpi',
    categories: ['beauty'],
    payouts: fixed(25),
    goals: [{ id: 'signup', title: 'Sign-up', payouts: fixed(40) }],
  }),
];
