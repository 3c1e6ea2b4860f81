import { unmatchedAssignment, unmatchedId, unmatchedPostback } from '@hissaback/shared/contracts/unmatched';
import { assignUnmatched } from '@hissaback/shared/db/queries/unmatched';
import { withOperator } from '@hissaback/shared/db/tenancy';
import {
  type Assignment,
  assigned,
  memberToCorrect,
  messageAgain,
  refusalOfAssigned,
} from '@hissaback/shared/domain/assignment';
import { authenticate } from '@hissaback/shared/http/auth';
import { invalidField } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertOperator } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { clickFor } from './click-for.ts';
import { openRow } from './open-row.ts';
import { unmatchedView } from './view.ts';

/**
 * `POST /v1/unmatched/:unmatched_id/assign`: gives it a click, or a link where there is none, and goes to the ledger consumer again, which asks every
 * rule anew: what it refuses even so stays open with the new reason.
 */
export const assignUnmatchedRoute = new Hono<ApiContext>().post(
  '/v1/unmatched/:unmatched_id/assign',
  operation({
    id: 'assignUnmatched',
    summary: 'Give an unmatched postback the click it belongs to',
    answer: unmatchedPostback,
    errors: ['not_found', 'conflict'],
    params: { unmatched_id: unmatchedId },
  }),
  authenticate(['operator']),
  jsonInput(unmatchedAssignment),
  async (c) => {
    const { db, principal, clock, log } = c.var;
    const row = await withOperator(db, principal.sub, async (tx) => {
      await assertOperator(tx);
      const open = await openRow(tx, c.req.param('unmatched_id'));
      const { reason, click_id, link_id, user_id, ...corrections } = c.req.valid('json').check();
      const click = await clickFor(c, tx, { click_id, link_id, user_id }, open.received_at);
      const given = Object.entries(corrections).filter(([, value]) => value !== undefined);
      const assignment: Assignment = { click, ...Object.fromEntries(given) };
      const said = assigned(open.raw, open.source, assignment);
      const refusal = refusalOfAssigned(said.raw, said.source);
      if (refusal !== null)
        throw invalidField(memberToCorrect(said.raw, refusal), `Its words are no conversion even so: ${refusal}`);
      const at = clock.now();
      await assignUnmatched(tx, { unmatchedId: open.unmatched_id, assignment, at });
      const details = { ...corrections, ...(link_id === undefined ? { click_id } : { link_id, user_id }) };
      const subject = `unmatched:${open.unmatched_id}`;
      await recordChange(c, tx, { tenant_id: open.tenant_id, action: 'unmatched.assigned', subject, reason, details });
      return { ...open, assignment, assigned_at: new Date(at) };
    });
    // Should the queue refuse, the schedule `rematch` sends it.
    await c.env.POSTBACKS.send(messageAgain(row)).catch((error: unknown) => log.warn('assignment_not_sent', { error }));
    return c.json(unmatchedView(row));
  },
);
