import type { PayoutOperated } from '@hissaback/shared/contracts/payout-calls';
import { payoutAction, payoutOperated } from '@hissaback/shared/contracts/payouts';
import { withOperator } from '@hissaback/shared/db/tenancy';
import { PAYOUT_ACTIONS, type PayoutAction } from '@hissaback/shared/domain/payout-action';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { jsonInput } from '../http/input.ts';
import { assertOperator, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { payoutWorker } from './payout-worker.ts';

const SUMMARIES: Readonly<Record<PayoutAction, string>> = {
  hold: 'Hold a payout: no call is made for it and nothing delivered',
  release: 'Let a held payout go on',
  cancel: 'Cancel a payout: while no card can exist, or by cancelling an undelivered card at Amazon within 15 minutes',
  retry: 'Try a waiting payout now, with the same id',
  resolve: 'Settle a refused payout, so that its payee can be paid again',
};

type Refusal = Extract<PayoutOperated, { ok: false }>['reason'];

const CONFLICTS: Readonly<Partial<Record<Refusal, string>>> = {
  wrong_status: 'The payout is in a status that does not allow this.',
  held_already: 'An operator holds it already.',
  not_held: 'No operator holds it.',
  held_by_operator: 'An operator holds it or is cancelling it: release it first.',
  card_may_exist: 'A card may exist for it: only asking Amazon by the same id can tell.',
  too_late: 'Amazon cancels a card within 15 minutes only.',
  cancelling_already: 'Its card is being cancelled.',
  resolved_already: 'It is resolved already.',
  amazon_refused: 'Amazon did not cancel the card: the payout goes on.',
};

/** `POST /v1/payouts/:payout_id/{hold,release,cancel,retry,resolve} {reason}`, done by the one worker that holds AGCOD's keys. */
export const payoutOperations = new Hono<ApiContext>();
for (const action of PAYOUT_ACTIONS) {
  payoutOperations.post(
    `/v1/payouts/:payout_id/${action}`,
    operation({
      id: `${action}Payout`,
      summary: SUMMARIES[action],
      answer: payoutOperated,
      errors: ['not_found', 'conflict', 'unavailable'],
    }),
    authenticate(['operator']),
    jsonInput(payoutAction),
    async (c) => {
      const { principal, db } = c.var;
      await withOperator(db, principal.sub, assertOperator);
      const payoutId = pathId(c.req.param('payout_id') ?? '');
      const { reason } = c.req.valid('json').check();
      const result = await payoutWorker(c.env).operate({ payoutId, action, operatorId: principal.sub, reason });
      if (!result.ok) throw problemOf(result.reason);
      return c.json({ payout_id: payoutId, status: result.status });
    },
  );
}

function problemOf(reason: Refusal): ProblemError {
  if (reason === 'not_found') return new ProblemError('not_found', { detail: 'No such payout.' });
  if (reason === 'not_operator') return new ProblemError('forbidden', { detail: 'You are not an operator.' });
  const conflict = CONFLICTS[reason];
  if (conflict !== undefined) return new ProblemError('conflict', { detail: conflict, members: { reason } });
  const detail =
    reason === 'unknown_outcome'
      ? 'Amazon did not answer: the payout waits, and the next runs find out.'
      : 'No call to Amazon may be made at the moment.';
  return new ProblemError('unavailable', { detail, members: { reason } });
}
