import { tenantQuery } from '@hissaback/shared/contracts/fields';
import { offerCategories as categoriesAnswer } from '@hissaback/shared/contracts/offers';
import { offerCategories } from '@hissaback/shared/db/queries/offers';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

/** `GET /v1/offers/categories`: the categories there are offers in now, by name. */
export const offerCategoriesRoute = new Hono<ApiContext>().get(
  '/v1/offers/categories',
  operation({ id: 'listOfferCategories', summary: 'List the categories of offers', answer: categoriesAnswer }),
  authenticate(['creator', 'widget']),
  queryInput(tenantQuery),
  async (c) => {
    const input = c.req.valid('query');
    const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
    input.check();
    const rows = await withTenant(c.var.db, tenant_id, (tx) => offerCategories(tx));
    return c.json(rows.map((row) => ({ category: row.category, offers: Number(row.offers) })));
  },
);
