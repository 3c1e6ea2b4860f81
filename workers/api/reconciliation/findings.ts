import { findingQuery, reconciliationFindings } from '@hissaback/shared/contracts/reconciliation';
import { type FindingRow, listFindings } from '@hissaback/shared/db/queries/reconciliation';
import { withOperator } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { assertOperator } from '../http/ownership.ts';
import { decodeCursor, MICROSECONDS, pageOf } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';
import { daysOf } from './range.ts';

/** A finding's name in a cursor: its kind and key, in base64 since the network's ids may hold anything. */
const NAME = /^[\w+/=-]{1,300}$/;

/** `GET /v1/reconciliation/findings?kind=differing&open=true`: what exactly differs, newest first. */
export const reconciliationFindingsRoute = new Hono<ApiContext>().get(
  '/v1/reconciliation/findings',
  operation({
    id: 'listReconciliationFindings',
    summary: 'List what differs between our books and the network',
    answer: reconciliationFindings,
  }),
  authenticate(['operator']),
  queryInput(findingQuery),
  async (c) => {
    const page = await withOperator(c.var.db, c.var.principal.sub, async (tx) => {
      await assertOperator(tx);
      const { cursor, limit, kind, open, tenant_id, ...asked } = c.req.valid('query').check();
      const [at, name] = cursor === undefined ? [] : decodeCursor(cursor, [MICROSECONDS, NAME]);
      const after = at === undefined || name === undefined ? undefined : { at: BigInt(at), key: atob(name) };
      const wanted = { ...daysOf(asked, c.var.clock.now()), kind, open, tenant_id, after, limit: limit + 1 };
      const rows = await listFindings(tx, wanted);
      return pageOf(rows, limit, c.req.url, (last) => [String(last.at), btoa(`${last.kind} ${last.finding_key}`)]);
    });
    return c.json(page.rows.map(findingView), 200, page.headers);
  },
);

function findingView(row: FindingRow) {
  return {
    kind: row.kind,
    tenant_id: row.tenant_id,
    day: row.day,
    network_id: row.network_id,
    conv_id: row.conv_id === null ? null : String(row.conv_id),
    offer_id: row.offer_id,
    here: row.here,
    there: row.there,
    first_seen: row.first_seen.toISOString(),
    last_seen: row.last_seen.toISOString(),
    healed_at: row.healed_at?.toISOString() ?? null,
  };
}
