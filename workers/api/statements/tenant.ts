import { tenantStatementQuery } from '@hissaback/shared/contracts/payouts';
import { type TenantStatement, tenantStatement } from '@hissaback/shared/db/queries/statements';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { indianDay, monthBounds } from '@hissaback/shared/domain/india-time';
import { authenticate } from '@hissaback/shared/http/auth';
import { csvResponse } from '@hissaback/shared/http/csv';
import { invalidField } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { tenantStatementPage, tenantStatementPolicy } from './tenant-page.tsx';

const HEADER = [
  'month',
  'tenant',
  'clicks',
  'conversions',
  'reversals',
  'shared',
  'earned',
  'paid',
  'balance',
  'currency',
];

/** `GET /v1/statements/tenant?month=2026-11&format=csv|html`: a creator's month, as a table to calculate with or a page to print. */
export const tenantStatementRoute = new Hono<ApiContext>().get(
  '/v1/statements/tenant',
  operation({
    id: 'tenantStatement',
    summary: "Download a tenant's statement of a month, or show it as a page to print",
    answer: { description: 'CSV, or an HTML page with `format=html`' },
  }),
  authenticate(['creator']),
  queryInput(tenantStatementQuery),
  async (c) => {
    const input = c.req.valid('query');
    const tenant_id = ownTenant(c.var.principal, input.id('tenant_id'));
    const { month, format } = input.check();
    const bounds = monthBounds(month);
    if (bounds === null) throw invalidField('month', 'Must be a month such as 2026-11');
    const statement = await withTenant(c.var.db, tenant_id, (tx) =>
      tenantStatement(tx, {
        ...{ tenant_id, from: new Date(bounds.from), to: new Date(bounds.to) },
        ...{ first: indianDay(bounds.from), last: indianDay(bounds.to - 1) },
      }),
    );
    if (format === 'html') {
      const policy = await tenantStatementPolicy();
      return c.html(tenantStatementPage(month, statement), 200, { 'content-security-policy': policy });
    }
    return csvResponse(`hissaback-statement-${month}`, HEADER, lines(month, statement));
  },
);

function lines(month: string, statement: TenantStatement): (string | number | null)[][] {
  const { tenant, clicks, conversions, reversals } = statement;
  const traffic = [month, tenant, Number(clicks), Number(conversions), Number(reversals)];
  const nothing = { shared: '0.00', earned: '0.00', paid: '0.00', balance: '0.00', currency: 'INR' };
  const amounts = statement.amounts.length > 0 ? statement.amounts : [nothing];
  return amounts.map(({ shared, earned, paid, balance, currency }) => [
    ...traffic,
    shared,
    earned,
    paid,
    balance,
    currency,
  ]);
}
