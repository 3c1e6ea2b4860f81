import { reconciliationQuery, reconciliationReport as reportShape } from '@hissaback/shared/contracts/reconciliation';
import { type ReportRow, reconciliationReport } from '@hissaback/shared/db/queries/reconciliation';
import { withOperator } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { csvResponse } from '@hissaback/shared/http/csv';
import { type Context, Hono } from 'hono';
import type { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { type Input, queryInput } from '../http/input.ts';
import { assertOperator } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { daysOf } from './range.ts';

const COLUMNS = ['day', 'tenant_id', 'missing_here', 'missing_there', 'differing', 'open'] as const;

/** `GET /v1/reconciliation/report?from&to&tenant_id`: by day and tenant, where our books and the network differed. */
export const reconciliationReportRoute = new Hono<ApiContext>().get(
  '/v1/reconciliation/report',
  operation({
    id: 'reconciliationReport',
    summary: 'Count by day and tenant what differs between our books and the network',
    answer: reportShape,
  }),
  authenticate(['operator']),
  queryInput(reconciliationQuery),
  async (c) => c.json(await report(c, c.req.valid('query'))),
);

/** `GET /v1/reconciliation/report.csv`: the same as a file. */
export const reconciliationReportCsv = new Hono<ApiContext>().get(
  '/v1/reconciliation/report.csv',
  operation({
    id: 'downloadReconciliationReport',
    summary: 'Download by day and tenant what differs between our books and the network',
    answer: { type: 'text/csv' },
  }),
  authenticate(['operator']),
  queryInput(reconciliationQuery),
  async (c) => {
    const rows = await report(c, c.req.valid('query'));
    const lines = rows.map((row) => COLUMNS.map((name) => row[name] ?? ''));
    return csvResponse('hissaback-reconciliation', COLUMNS, lines);
  },
);

function report(c: Context<ApiContext>, input: Input<z.output<typeof reconciliationQuery>>): Promise<ReportRow[]> {
  return withOperator(c.var.db, c.var.principal.sub, async (tx) => {
    await assertOperator(tx);
    const { tenant_id, ...asked } = input.check();
    return reconciliationReport(tx, { ...daysOf(asked, c.var.clock.now()), tenant_id });
  });
}
