import { missingCashback, newMissingCashback } from '@hissaback/shared/contracts/missing-cashback';
import { claimOfUser, countClaims, findMerchant, insertClaim } from '@hissaback/shared/db/queries/missing-cashback';
import { withUser } from '@hissaback/shared/db/tenancy';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { authenticate } from '@hissaback/shared/http/auth';
import { invalidField, ProblemError } from '@hissaback/shared/http/problem';
import { rateLimited } from '@hissaback/shared/http/rate-limit';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { jsonInput } from '../http/input.ts';
import { operation } from '../openapi/operation.ts';
import { pursue } from './pursue.ts';
import { claimView } from './view.ts';

const DAY_MS = 86_400_000;
/** A purchase may be claimed for this long. */
const CLAIM_WITHIN_DAYS = 90;
/** Claims of one shopper in a window. */
const LIMIT = { claims: 10, days: 30 } as const;

/**
 * `POST /v1/missing-cashback`: a purchase whose reward is missing. What we know is searched at once and again every day; what does not fit by itself waits
 * for an operator. One claim an order.
 */
export const createMissingCashback = new Hono<ApiContext>().post(
  '/v1/missing-cashback',
  operation({
    id: 'claimMissingCashback',
    summary: 'Say that the reward for a purchase is missing',
    answer: missingCashback,
    errors: ['conflict', 'rate_limited'],
    limit: '10 claims per shopper in 30 days',
  }),
  authenticate(['shopper', 'creator']),
  jsonInput(newMissingCashback),
  async (c) => {
    const { db, principal, clock, random } = c.var;
    const input = c.req.valid('json').check();
    const now = clock.now();
    const age = Math.floor(now / DAY_MS) - Date.parse(input.date) / DAY_MS;
    // A day ahead is today somewhere.
    if (age < -1) throw invalidField('date', 'Lies in the future');
    if (age > CLAIM_WITHIN_DAYS) throw invalidField('date', `Lies more than ${CLAIM_WITHIN_DAYS} days back`);
    const claim_id = mintUuid(random);
    const row = await withUser(db, principal.sub, async (tx) => {
      const merchant = await findMerchant(tx, input);
      if (merchant === null)
        throw invalidField(input.brand === undefined ? 'offer_id' : 'brand', 'We know no such shop');
      const since = new Date(now - LIMIT.days * DAY_MS);
      if ((await countClaims(tx, { user_id: principal.sub, since })) >= LIMIT.claims) {
        const window = (LIMIT.days * DAY_MS) / 1_000;
        throw rateLimited({ policy: 'missing-cashback', limit: LIMIT.claims, window, remaining: 0, reset: 86_400 });
      }
      const isNew = await insertClaim(tx, {
        claim_id,
        user_id: principal.sub,
        ...merchant,
        offer_id: input.offer_id ?? null,
        purchased_on: input.date,
        order_id: input.order_id,
        amount: input.amount,
        at: new Date(now),
      });
      if (!isNew) throw new ProblemError('conflict', { detail: 'You have claimed this order already.' });
      return claimOfUser(tx, { user_id: principal.sub, claim_id });
    });
    if (row === null) throw new ProblemError('internal');
    await pursue(c, claim_id);
    return c.json(claimView(row, false));
  },
);
