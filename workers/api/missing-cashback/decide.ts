import { missingCashback, missingCashbackDecision } from '@hissaback/shared/contracts/missing-cashback';
import {
  type ClaimDecision,
  decideClaim,
  lockClaimRow,
  shopperOfConversion,
} from '@hissaback/shared/db/queries/missing-cashback';
import { withOperator } from '@hissaback/shared/db/tenancy';
import type { Tx } from '@hissaback/shared/db/types';
import { authenticate } from '@hissaback/shared/http/auth';
import { invalidField, ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertOperator, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { clickFor } from '../unmatched/click-for.ts';
import { openRow } from '../unmatched/open-row.ts';
import { pursue } from './pursue.ts';
import { claimView } from './view.ts';

/**
 * `POST /v1/missing-cashback/:claim_id/decide`: an operator rejects a claim, or says what it is about. The ledger consumer carries an approval out with
 * every fraud rule asked anew; what cannot be carried out comes back open.
 */
export const decideMissingCashback = new Hono<ApiContext>().post(
  '/v1/missing-cashback/:claim_id/decide',
  operation({
    id: 'decideMissingCashback',
    summary: 'Decide about a claim of missing cashback',
    answer: missingCashback,
    errors: ['not_found', 'conflict'],
  }),
  authenticate(['operator']),
  jsonInput(missingCashbackDecision),
  async (c) => {
    const { db, principal, clock } = c.var;
    const row = await withOperator(db, principal.sub, async (tx) => {
      await assertOperator(tx);
      const claim_id = pathId(c.req.param('claim_id'));
      const claim = await lockClaimRow(tx, claim_id);
      if (claim === null) throw new ProblemError('not_found', { detail: 'No such claim.' });
      const {
        decision: verdict,
        reason,
        conv_id,
        unmatched_id,
        click_id,
        link_id,
        sale_amount,
      } = c.req.valid('json').check();
      if (claim.status !== 'open')
        throw new ProblemError('conflict', { detail: `The claim is ${claim.status} already.` });
      let decision: ClaimDecision | null = null;
      if (verdict === 'approve' && unmatched_id !== undefined) {
        const open = await openRow(tx, unmatched_id);
        const click = await clickFor(c, tx, { click_id, link_id, user_id: link_id && claim.user_id }, open.received_at);
        decision = { unmatched_id, assignment: { click, ...(sale_amount !== undefined && { sale_amount }) } };
      } else if (verdict === 'approve' && conv_id !== undefined) {
        await assertMayBeGiven(tx, conv_id, claim.user_id);
        decision = { conv_id };
      }
      const status = verdict === 'approve' ? 'approved' : 'rejected';
      const at = new Date(clock.now());
      await decideClaim(tx, { claim_id, status, decision, by: principal.sub, reason, at });
      const details = { conv_id, unmatched_id, click_id, link_id, sale_amount };
      const [action, subject] = [`missing_cashback.${status}`, `missing_cashback:${claim_id}`];
      await recordChange(c, tx, { tenant_id: claim.tenant_id, action, subject, reason, details });
      return lockClaimRow(tx, claim_id);
    });
    if (row === null) throw new ProblemError('internal');
    if (row.status === 'approved') await pursue(c, row.claim_id);
    return c.json(claimView(row, true));
  },
);

/** @throws ProblemError `invalid_field` (422) for a conversion that there is not, or that is another shopper's */
async function assertMayBeGiven(tx: Tx, convId: string, userId: string): Promise<void> {
  const found = BigInt(convId) < 2n ** 63n ? await shopperOfConversion(tx, BigInt(convId)) : null;
  if (found === null) throw invalidField('conv_id', 'No such conversion');
  if (found.user_id !== null && found.user_id !== userId) throw invalidField('conv_id', 'It is another shopper’s');
}
