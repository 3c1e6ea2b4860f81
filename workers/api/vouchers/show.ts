import type { LimitCalls, ObjectNamespace } from '@hissaback/shared/contracts/durable-objects';
import type { VoucherShown } from '@hissaback/shared/contracts/payout-calls';
import { shownVoucher } from '@hissaback/shared/contracts/payouts';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { rateLimited } from '@hissaback/shared/http/rate-limit';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { payoutWorker } from '../payouts/payout-worker.ts';

const DAY_MS = 86_400_000;
const PER_DAY = 3;

/**
 * `POST /v1/payouts/:payout_id/voucher` -> `{claim_code, ...}` for whom it was paid to. We keep no codes: Amazon is asked again each time, so it is limited and
 * audited. No Idempotency-Key keeps the answer.
 */
export const showVoucher = new Hono<ApiContext>().post(
  '/v1/payouts/:payout_id/voucher',
  operation({
    id: 'showVoucher',
    summary: 'Show the code of a voucher that was paid to you once more',
    answer: shownVoucher,
    errors: ['not_found', 'conflict', 'gone', 'rate_limited', 'unavailable'],
    limit: `${PER_DAY} times a day per voucher`,
    keepsNothing: true,
  }),
  authenticate(['shopper', 'creator'], { scope: null }),
  async (c) => {
    const { principal, clock } = c.var;
    const payoutId = pathId(c.req.param('payout_id'));
    const limits = c.env.LIMIT as unknown as ObjectNamespace<LimitCalls>;
    // By person as well: a stranger cannot use up somebody's tries.
    const limit = limits.get(limits.idFromName(`voucher:${principal.sub}:${payoutId}`));
    const taken = await limit.take({ limit: PER_DAY, windowMs: DAY_MS }, clock.now());
    if (!taken.allowed) {
      const state = {
        policy: 'voucher',
        limit: PER_DAY,
        window: DAY_MS / 1000,
        remaining: 0,
        reset: taken.resetMs / 1000,
      };
      throw rateLimited(state, 'This voucher was shown often today.');
    }
    const shown = await payoutWorker(c.env).voucher({ payoutId, userId: principal.sub });
    if (!shown.ok) throw problemOf(shown.reason);
    const { amount, currency, claimCode } = shown;
    return c.json({ payout_id: payoutId, amount, currency, claim_code: claimCode }, 200, {
      'cache-control': 'no-store',
    });
  },
);

function problemOf(reason: Extract<VoucherShown, { ok: false }>['reason']): ProblemError {
  switch (reason) {
    case 'not_found':
      return new ProblemError('not_found', { detail: 'No such payout of yours.' });
    case 'not_paid':
      return new ProblemError('conflict', { detail: 'The voucher is still on its way to you.' });
    case 'cancelled':
      return new ProblemError('gone', { detail: 'This voucher was cancelled.' });
    case 'unavailable':
      return new ProblemError('unavailable', { detail: 'The voucher cannot be shown at the moment.' });
  }
}
