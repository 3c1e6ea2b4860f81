import type { Stage } from '../stage.fake.ts';

/** A payout as it stands in the table; answers its id. */
export async function payoutOn(
  on: Stage,
  payout: {
    tenant_id: string;
    user_id: string;
    side?: 'shopper' | 'creator';
    status?: string;
    amount?: string;
    at?: Date;
  },
): Promise<string> {
  const { tenant_id, user_id, side = 'shopper', status = 'queued', amount = '150.00' } = payout;
  const payout_id = on.uuid();
  const at = payout.at ?? new Date(on.clock.now());
  const isBought = status === 'paid' || status === 'issued';
  await on.sql(
    `insert into payouts (payout_id, tenant_id, side, payee, user_id, currency, amount, status, creation_request_id, agcod_endpoint, agcod_region, partner_id,
       card_may_exist, next_attempt_at, gc_id, voucher_code, issued_at, paid_at, created_at, status_at)
     values ($1, $2, $3, $4, $5, 'INR', $6, $7, $8, 'https://agcod.example', 'eu-west-1', 'Hissa', $9, $10, $11, $12, $13, $14, $10, $10)`,
    [
      ...[payout_id, tenant_id, side, side === 'creator' ? tenant_id : user_id, user_id, amount, status],
      ...[payout_id.replaceAll('-', ''), isBought || status === 'sending', at, isBought ? payout_id : null],
      ...[status === 'issued' ? 'sealed-code' : null, isBought ? at : null, status === 'paid' ? at : null],
    ],
  );
  return payout_id;
}
