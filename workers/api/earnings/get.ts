import { type Earnings, earningsQuery, earnings as earningsShape } from '@hissaback/shared/contracts/earnings';
import { type CreatorBalance, creatorBalances } from '@hissaback/shared/db/queries/creator-earnings';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { nextPayoutPeriod, parsePayoutDay } from '@hissaback/shared/domain/creator-schedule';
import { type Paise, parsePaise } from '@hissaback/shared/domain/money';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

/** `GET /v1/earnings?tenant_id`: what a creator has earned and is paid next, by currency. */
export const earningsRoute = new Hono<ApiContext>().get(
  '/v1/earnings',
  operation({
    id: 'getEarnings',
    summary: 'Tell what your tenant has earned, what it was paid, and when it is paid next',
    answer: earningsShape,
  }),
  authenticate(['creator']),
  queryInput(earningsQuery),
  async (c) => {
    const input = c.req.valid('query');
    const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
    input.check();
    const rows = await withTenant(c.var.db, tenant_id, (tx) => creatorBalances(tx, { tenant_id }));
    const next = nextPayoutPeriod(parsePayoutDay(c.env.CREATOR_PAYOUT_DAY), c.var.clock.now());
    const minimum = c.env.CREATOR_PAYOUT_MINIMUM;
    return c.json(rows.map((row) => earningsView(row, minimum, parsePaise(minimum), next)));
  },
);

function earningsView(row: CreatorBalance, minimum: string, least: Paise, next: number | null): Earnings[number] {
  const { currency, available, reserved, receivable, paid } = row;
  const isHeld = row.is_held && parsePaise(available) > 0n;
  return {
    ...{ currency, available, reserved, receivable, paid, minimum },
    next_payout_at: isHeld || next === null ? null : new Date(next).toISOString(),
    waits_for: isHeld ? 'kyc' : parsePaise(available) < least ? 'minimum' : null,
  };
}
