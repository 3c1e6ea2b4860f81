import { offerQuery, offers } from '@hissaback/shared/contracts/offers';
import { campaignById } from '@hissaback/shared/db/queries/campaigns';
import { listOffers } from '@hissaback/shared/db/queries/offers';
import { tenantById } from '@hissaback/shared/db/queries/tenants';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { parseBasisPoints } from '@hissaback/shared/domain/money';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { decodeCursor, INT, pageOf } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';
import { offerView } from './view.ts';

/** `GET /v1/offers?tenant_id&category&q&country&campaign_id=`: what a tenant can promote, by number, and who gets how much of it. */
export const offersRoute = new Hono<ApiContext>().get(
  '/v1/offers',
  operation({
    id: 'listOffers',
    summary: 'List the offers that can be promoted',
    answer: offers,
    errors: ['not_found'],
  }),
  authenticate(['creator', 'widget']),
  queryInput(offerQuery),
  async (c) => {
    const input = c.req.valid('query');
    const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
    const { category, q, country, campaign_id, cursor, limit } = input.check();
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, [INT]);
    const [tenant, campaign, rows] = await withTenant(c.var.db, tenant_id, async (tx) => [
      await tenantById(tx, { tenant_id }),
      campaign_id === undefined ? undefined : await campaignById(tx, { tenant_id, campaign_id }),
      await listOffers(tx, {
        category: category || undefined,
        search: q,
        after: after === undefined ? undefined : Number(after),
        limit: limit + 1,
      }),
    ]);
    if (tenant === null) throw new ProblemError('forbidden', { detail: 'The tenant is gone.' });
    if (campaign === null) throw new ProblemError('not_found', { detail: 'No such campaign.' });
    const terms = {
      share: parseBasisPoints(campaign?.share_pct ?? tenant.default_share_pct),
      fee: BigInt(c.env.PLATFORM_FEE_BP),
      country: country ?? null,
    };
    const page = pageOf(rows, limit, c.req.url, (last) => [String(last.offer_id)]);
    return c.json(
      page.rows.map((row) => offerView(row, terms)),
      200,
      page.headers,
    );
  },
);
