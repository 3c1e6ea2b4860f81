import type { PayoutCalls } from '@hissaback/shared/contracts/payout-calls';

/** The payout worker's side for the api. A generated environment knows no methods of another worker's entrypoint. */
export function payoutWorker(env: ApiEnv): PayoutCalls {
  return (env as unknown as { PAYOUTS: PayoutCalls }).PAYOUTS;
}
