/** The affiliate network's records, as the stand-in keeps them. Money is decimal text. */

export type CampaignModel = 'cpa' | 'cpi' | 'cpc' | 'cpm' | 'cps';
/** `payout`: an amount, or for model `cps` a percentage of the sale. `geo` holds country codes, or `ALL`. */
export type CampaignPayout = { payout: number; fixedPayout: number | null; geo: string[] };
export type CampaignGoal = { id: string; title: string; payouts: CampaignPayout[] };
export type Campaign = {
  id: number;
  title: string;
  currency: string | null;
  model: CampaignModel;
  preview_url: string;
  landingPage: string;
  categories: string[];
  payouts: CampaignPayout[];
  goals: CampaignGoal[];
  status: 'active' | 'paused';
  /** Whether this publisher may promote it. */
  approved: boolean;
};

export const P_NAMES = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8', 'p9', 'p10'] as const;
export type PValues = Record<(typeof P_NAMES)[number], string>;

export type Click = {
  click_id: string;
  campaign_id: number;
  publisher_id: string;
  country: string;
  created: string;
} & PValues;

export const STATUSES = ['approved', 'pending', 'cancelled', 'rejected'] as const;
export type ConversionStatus = (typeof STATUSES)[number];
export type Conversion = {
  _id: string;
  click_id: string;
  campaign_id: number;
  publisher_id: string;
  goal_id: string | null;
  txn_id: string | null;
  currency: string;
  payout: string;
  sale_amount: string;
  status: ConversionStatus;
  country: string;
  created: string;
  modified: string;
} & PValues;

export type PostbackAttempt = { at: string; status: number | null; answer: string };
export type Postback = {
  id: string;
  conversion_id: string;
  url: string;
  /** Sent as CF-Connecting-IP when given, for trying the receiver's address allowlist. */
  client_ip: string | null;
  state: 'pending' | 'delivered' | 'failed';
  attempts: PostbackAttempt[];
  /** When the next attempt is due. */
  due: string;
};
