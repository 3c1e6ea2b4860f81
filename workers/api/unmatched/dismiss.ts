import { unmatchedDismissal, unmatchedId, unmatchedPostback } from '@hissaback/shared/contracts/unmatched';
import { dismissUnmatched } from '@hissaback/shared/db/queries/unmatched';
import { withOperator } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertOperator } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { openRow } from './open-row.ts';
import { unmatchedView } from './view.ts';

/** `POST /v1/unmatched/:unmatched_id/dismiss {reason}`: puts it aside as no conversion of ours. */
export const dismissUnmatchedRoute = new Hono<ApiContext>().post(
  '/v1/unmatched/:unmatched_id/dismiss',
  operation({
    id: 'dismissUnmatched',
    summary: 'Put an unmatched postback aside',
    answer: unmatchedPostback,
    errors: ['not_found', 'conflict'],
    params: { unmatched_id: unmatchedId },
  }),
  authenticate(['operator']),
  jsonInput(unmatchedDismissal),
  async (c) => {
    const { db, principal, clock } = c.var;
    const row = await withOperator(db, principal.sub, async (tx) => {
      await assertOperator(tx);
      const open = await openRow(tx, c.req.param('unmatched_id'));
      const { reason } = c.req.valid('json').check();
      const at = clock.now();
      await dismissUnmatched(tx, { unmatchedId: open.unmatched_id, by: principal.sub, reason, at });
      const subject = `unmatched:${open.unmatched_id}`;
      await recordChange(c, tx, { tenant_id: open.tenant_id, action: 'unmatched.dismissed', subject, reason });
      return { ...open, status: 'dismissed' as const, resolution: reason, resolved_at: new Date(at) };
    });
    return c.json(unmatchedView(row));
  },
);
