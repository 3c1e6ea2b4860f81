import type { VoucherResent } from '@hissaback/shared/contracts/payout-calls';
import { payoutAction, voucherResent } from '@hissaback/shared/contracts/payouts';
import { withOperator } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { jsonInput } from '../http/input.ts';
import { assertOperator, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { payoutWorker } from './payout-worker.ts';

type Refusal = Extract<VoucherResent, { ok: false }>['reason'];

const CONFLICTS: Readonly<Partial<Record<Refusal, string>>> = {
  wrong_status: 'Only the message of a voucher that is paid can be sent once more.',
  delivered_already: 'The gateway reported that the message arrived: the shopper can have the code shown instead.',
  under_way: 'It is being sent at this moment.',
  report_awaited: 'It was sent within the last ten minutes, and the report on it has not come yet.',
  no_phone: 'Whom it is for has no phone.',
  card_cancelled: 'Amazon says that the card was cancelled.',
};

/** `POST /v1/payouts/:payout_id/resend {reason}`: the message of a paid voucher once more, if none arrived; done by the worker that holds AGCOD's keys. */
export const resendVoucher = new Hono<ApiContext>().post(
  '/v1/payouts/:payout_id/resend',
  operation({
    id: 'resendVoucher',
    summary: 'Send the SMS of a paid voucher once more, if no message arrived: the same card, asked for by the same id',
    answer: voucherResent,
    errors: ['not_found', 'conflict', 'unavailable'],
  }),
  authenticate(['operator']),
  jsonInput(payoutAction),
  async (c) => {
    const { principal, db } = c.var;
    await withOperator(db, principal.sub, assertOperator);
    const payoutId = pathId(c.req.param('payout_id'));
    const { reason } = c.req.valid('json').check();
    const result = await payoutWorker(c.env).resend({ payoutId, operatorId: principal.sub, reason });
    if (!result.ok) throw problemOf(result.reason);
    return c.json({ payout_id: payoutId, status: 'sent' as const });
  },
);

function problemOf(reason: Refusal): ProblemError {
  if (reason === 'not_found') return new ProblemError('not_found', { detail: 'No such payout.' });
  if (reason === 'not_operator') return new ProblemError('forbidden', { detail: 'You are not an operator.' });
  const conflict = CONFLICTS[reason];
  if (conflict !== undefined) return new ProblemError('conflict', { detail: conflict, members: { reason } });
  const detail =
    reason === 'not_sent'
      ? 'The SMS gateway did not take the message, or did not answer.'
      : 'No call to Amazon may be made at the moment, or it gave no code.';
  return new ProblemError('unavailable', { detail, members: { reason } });
}
