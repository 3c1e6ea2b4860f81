import { type Offer, offerQuery } from '@hissaback/shared/contracts/offers';
import { listOffers, type OfferRow } from '@hissaback/shared/db/queries/offers';
import { tenantById } from '@hissaback/shared/db/queries/tenants';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { formatBasisPoints, parseBasisPoints, shareOf } from '@hissaback/shared/domain/money';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { decodeCursor, INT, pageOf } from '../http/page.ts';

/** `GET /v1/offers?tenant_id&category=`: what a tenant can promote, by number. */
export const offersRoute = new Hono<ApiContext>().get(
  '/v1/offers',
  authenticate(['creator', 'widget']),
  queryInput(offerQuery),
  async (c) => {
    const input = c.req.valid('query');
    const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
    const { category, cursor, limit } = input.check();
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, [INT]);
    const [tenant, rows] = await withTenant(c.var.db, tenant_id, async (tx) => [
      await tenantById(tx, { tenant_id }),
      await listOffers(tx, {
        category: category || undefined,
        after: after === undefined ? undefined : Number(after),
        limit: limit + 1,
      }),
    ]);
    if (tenant === null) throw new ProblemError('forbidden', { detail: 'The tenant is gone.' });
    const page = pageOf(rows, limit, c.req.url, (last) => [String(last.offer_id)]);
    return c.json(
      page.rows.map((row) => offerView(row, tenant.default_share_pct)),
      200,
      page.headers,
    );
  },
);

function offerView(row: OfferRow, sharePct: string): Offer {
  const commission = row.base_commission_pct;
  return {
    offer_id: row.offer_id,
    brand: row.brand,
    commission_pct: commission,
    title: row.title,
    category: row.category,
    model: row.model,
    currency: row.currency,
    fixed_commission: row.fixed_commission,
    shopper_pct: commission === null ? null : shareOfPercent(commission, sharePct),
    preview_url: row.preview_url,
  };
}

function shareOfPercent(commission: string, share: string): string {
  return formatBasisPoints(shareOf(parseBasisPoints(commission), parseBasisPoints(share)));
}
