import type { Delivery, MessageStatus, VoucherMessage } from '../../domain/voucher-message.ts';
import type { Tx } from '../types.ts';

type MessageKey = { readonly payoutId: string; readonly number: number };

/**
 * Commits that a voucher's message is about to be handed over. A number that was used before, by a time that the payout does not remember (a database put
 * back to an earlier point), is used anew: nothing may stand in a voucher's way.
 * @param message.requestedBy the operator who had it sent once more; null for the payout's own sending
 * @param at milliseconds since the Unix epoch
 */
export async function beginVoucherMessage(
  tx: Tx,
  message: MessageKey & { readonly tenantId: string; readonly requestedBy: string | null },
  at: number,
): Promise<void> {
  await tx.query(
    `insert into voucher_messages (payout_id, number, tenant_id, begun_at, status_at, requested_by) values ($1, $2, $3, $4, $4, $5)
     on conflict (payout_id, number) do update set status = 'sending', reason = null, message_id = null, delivery = null, delivery_reason = null,
       delivery_at = null, begun_at = excluded.begun_at, status_at = excluded.status_at, requested_by = excluded.requested_by`,
    [message.payoutId, message.number, message.tenantId, new Date(at), message.requestedBy],
  );
}

/** What the gateway said of a message that is being sent. */
export type MessageEnd = {
  readonly status: Exclude<MessageStatus, 'sending'>;
  /** Why it was not accepted. */
  readonly reason: string | null;
  /** The gateway's id; empty where it gave none. */
  readonly messageId: string;
};

/** Ends a message that is being sent. @param at milliseconds since the Unix epoch */
export async function settleVoucherMessage(tx: Tx, key: MessageKey, end: MessageEnd, at: number): Promise<void> {
  await tx.query(
    `update voucher_messages set status = $3, reason = $4, message_id = nullif($5, ''), status_at = $6
     where payout_id = $1 and number = $2 and status = 'sending'`,
    [key.payoutId, key.number, end.status, end.reason, end.messageId, new Date(at)],
  );
}

/** All sendings of a voucher's message. */
export async function voucherMessages(tx: Tx, payoutId: string): Promise<VoucherMessage[]> {
  type Row = { number: number; status: MessageStatus; delivery: Delivery | null; begunAt: Date };
  const { rows } = await tx.query<Row>(
    `select number, status, delivery, begun_at as "begunAt" from voucher_messages where payout_id = $1 order by number`,
    [payoutId],
  );
  return rows.map((row) => ({ ...row, begunAt: row.begunAt.getTime() }));
}

/** True if the gateway reported that a message with this voucher arrived. */
export async function hasArrived(tx: Tx, payoutId: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `select 1 from voucher_messages where payout_id = $1 and delivery = 'delivered' limit 1`,
    [payoutId],
  );
  return rowCount === 1;
}

/**
 * Commits that a paid voucher's message is sent once more, under the payout's lock.
 * @returns the sending's number
 */
export async function beginResend(
  tx: Tx,
  payout: { readonly payoutId: string; readonly tenantId: string },
  operatorId: string,
  at: number,
): Promise<number> {
  const { rows } = await tx.query<{ number: number }>(
    `update payouts set sms_attempts = sms_attempts + 1, sms_reference = payout_id::text || '-' || (sms_attempts + 1)
     where payout_id = $1 and status = 'paid' returning sms_attempts as number`,
    [payout.payoutId],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`payout ${payout.payoutId} is not paid`);
  await beginVoucherMessage(tx, { ...payout, number: row.number, requestedBy: operatorId }, at);
  return row.number;
}

/**
 * Paid vouchers of which the gateway reported, since `since` (milliseconds since the Unix epoch), that a message failed, none that arrived, and none was
 * taken by it since; the oldest failure first.
 */
export async function undeliveredVouchers(tx: Tx, since: number, limit: number): Promise<string[]> {
  const { rows } = await tx.query<{ payoutId: string }>(
    `select m.payout_id as "payoutId" from voucher_messages m join payouts p on p.payout_id = m.payout_id
     where m.delivery = 'failed' and m.delivery_at > $1 and p.status = 'paid'
       and not exists (select 1 from voucher_messages o where o.payout_id = m.payout_id
         and (o.delivery = 'delivered' or (o.number > m.number and (o.delivery = 'failed' or o.status in ('accepted', 'unknown')))))
     order by m.delivery_at, m.payout_id limit $2`,
    [new Date(since), limit],
  );
  return rows.map(({ payoutId }) => payoutId);
}
