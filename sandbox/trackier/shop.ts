import { z } from 'zod';
import { toMinor } from '../kit/decimal.ts';
import type { Call } from '../kit/http.ts';
import { parseJson } from '../kit/http.ts';
import { markup, page } from '../kit/page.ts';
import { type Campaign, type Click, type Conversion, STATUSES } from './model.ts';

const decimal = z
  .union([z.string(), z.number()])
  .transform((given) => String(given).trim())
  .refine((text) => (toMinor(text) ?? -1n) >= 0n, 'not a decimal amount');
/** In a form a list is comma separated and a truth value a word. */
const names = z
  .union([z.array(z.string()), z.string().transform((text) => text.split(',').map((name) => name.trim()))])
  .default([]);
const truth = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
const optionalText = z
  .string()
  .max(500)
  .nullish()
  .transform((text) => (text === '' || text === undefined ? null : text));

/** What a purchase may say; see the README for each. */
export const purchase = z.strictObject({
  click_id: optionalText,
  p1: optionalText,
  campaign_id: z.coerce.number().int().positive().optional(),
  publisher_id: optionalText,
  sale_amount: decimal,
  txn_id: optionalText,
  status: z.enum(STATUSES).default('approved'),
  currency: optionalText,
  goal_id: optionalText,
  country: optionalText,
  payout: decimal.optional(),
  created: z.iso.datetime().optional(),
  delay_ms: z.coerce.number().int().min(0).max(600_000).default(0),
  duplicate: z.coerce.number().int().min(0).max(1000).default(0),
  omit: names,
  verbatim: names,
  empty: names,
  override: z.record(z.string(), z.string()).default({}),
  client_ip: optionalText,
  /** Whether a postback is fired; by default for approved conversions only. */
  send: truth.optional(),
  wait: truth.optional(),
});
export type Purchase = z.output<typeof purchase>;

/** A purchase out of a JSON or form body; a text says what is wrong with it. */
export function readPurchase({ headers, body }: Call): Purchase | string {
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
  const fields = isForm ? Object.fromEntries(new URLSearchParams(body.toString('utf8'))) : parseJson(body);
  const parsed = purchase.safeParse(fields);
  if (parsed.success) return parsed.data;
  return parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
}

/** The merchant's page that a tracking link ends at; `orderId` is the order it will place. */
export function shopPage(campaign: Campaign, click: Click, orderId: string): string {
  const currency = campaign.currency ?? 'USD';
  return page(
    `${campaign.title} (sandbox shop)`,
    markup`<h1>${campaign.title}</h1>
<p>A stand-in for the merchant. What you buy here is reported to the affiliate network.</p>
<form method="post" action="/buy">
<input type="hidden" name="click_id" value="${click.click_id}">
<label for="sale_amount">Order value in ${currency}</label>
<input id="sale_amount" name="sale_amount" inputmode="decimal" value="1000.00" required pattern="[0-9]+([.][0-9]{1,2})?">
<label for="txn_id">Order number</label>
<input id="txn_id" name="txn_id" value="${orderId}" required>
<div><button type="submit">Buy</button></div>
</form>`,
  );
}

export function boughtPage(conversion: Conversion, postbacks: { state: string }[]): string {
  const told = postbacks.map(({ state }) => state).join(', ') || 'not sent';
  return page(
    'Order placed (sandbox shop)',
    markup`<h1>Order placed</h1>
<p>Order ${conversion.txn_id ?? 'without a number'} over ${conversion.currency} ${conversion.sale_amount}.</p>
<p>Commission: ${conversion.currency} ${conversion.payout}. Message to the publisher: ${told}.</p>`,
  );
}

export function unavailablePage(): string {
  return page(
    'Offer not available',
    markup`<h1>This offer is not available</h1><p>The tracking link leads nowhere.</p>`,
  );
}
