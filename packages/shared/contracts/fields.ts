import { z } from 'zod';
import { formatBasisPoints, parseBasisPoints } from '../domain/money.ts';
import { isHttpUrl } from './published-link.ts';

/** An id of ours: opaque to clients, a UUID in the database. Capitals are taken as their small letters. */
export const uuid = z.guid().toLowerCase();

/** An amount as text with two decimals, in the currency named beside it. */
export const moneyText = z.string().regex(/^-?\d{1,14}\.\d{2}$/);

/** A percentage as text with two decimals. */
export const percentText = z.string().regex(/^\d{1,3}\.\d{2}$/);

/** A time, RFC 3339 in UTC. */
export const instant = z.iso.datetime();

/** A percentage from 0 to 100 with at most two decimals, as text or as a JSON number: `50`, `"50"`, `"50.00"`. Becomes `percentText`. */
export const percentage = z.union([z.string(), z.number()]).transform((given, context) => {
  try {
    return formatBasisPoints(parseBasisPoints(String(given)));
  } catch {
    context.addIssue({ code: 'custom', message: 'Must be a percentage from 0 to 100 with at most two decimals' });
    return z.NEVER;
  }
});

/** The network's number of an offer, as a JSON number or its digits. */
export const offerId = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^[1-9]\d{0,9}$/)
      .transform(Number),
  ])
  .pipe(z.int().min(1).max(2_147_483_647));

/** A point in time with a date, a time and an offset. Becomes a Date. */
export const pointInTime = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** An absolute http(s) URL. */
export const webUrl = z.string().refine(isHttpUrl, { message: 'Must be an http or https URL' });

/** What a paged list takes: how many (at most 100), and from where on, as the `Link` header of the page before says. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(50)
    .describe('How many, 1 to 100; 50 unless given'),
  cursor: z.string().min(1).max(256).optional().describe('Where to go on: from the Link header of the page before'),
};

/** A part of a name, as people type it into a search box. */
export const searchText = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[^\p{C}]*$/u, { message: 'May not contain control characters' });

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const DOMAIN = new RegExp(`^(?:${LABEL}\\.)+(?!\\d+$)${LABEL}$`);

/** A fully qualified domain name in ASCII, without port or trailing dot. Becomes lower case. */
export const domainName = z
  .string()
  .max(190)
  .toLowerCase()
  .regex(DOMAIN, { message: 'Must be a domain name such as go.example.com' });

/** A currency by its three letters. */
export const currencyCode = z.string().regex(/^[A-Z]{3}$/, { message: 'Must be a currency code such as INR' });

/** What a list takes that needs nothing else: whose it is. */
export const tenantQuery = z.object({ tenant_id: uuid.optional() });
