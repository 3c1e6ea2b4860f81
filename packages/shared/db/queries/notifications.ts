import type { NotificationKind, NotificationPreferences } from '../../domain/notification.ts';
import type { Tx } from '../types.ts';

/** A notification that is ours to send: nobody else will, not even after a crash. */
export type Notification = {
  readonly kind: NotificationKind;
  readonly subject: string;
  readonly amount: string;
  readonly currency: string;
  readonly brand: string | null;
  readonly attempt: number;
  readonly phone: string | null;
  readonly language: string;
  readonly isWanted: boolean;
};

/**
 * Enters what happened between `from` and `to` (milliseconds since the Unix epoch), each thing once however often it is found. A reversal is told only of
 * what was told before. Answers how many are new.
 */
export async function collectNotifications(tx: Tx, window: { from: number; to: number }): Promise<number> {
  const { rowCount } = await tx.query(
    `with rewards as (
       select l.user_id, l.status, 'c' || l.conv_id as subject, l.currency, o.brand,
         (select sum(x.user_amount) from ledger x where x.conv_id = l.conv_id and x.tenant_id = l.tenant_id and x.created_at = l.created_at) as amount
       from ledger l
       left join conversions c on c.conv_id = l.conv_id and c.created_at = l.created_at
       left join offers o on o.offer_id = c.offer_id
       where l.status_at > $1 and l.status_at <= $2 and l.seq = 0 and l.user_id is not null
         and l.status in ('pending', 'review', 'confirmed', 'reversed')),
     events as (
       select case status when 'confirmed' then 'confirmed' when 'reversed' then 'reversed' else 'tracked' end as kind, * from rewards
       where status <> 'reversed' or exists (select 1 from notifications n where n.subject = rewards.subject and n.kind in ('tracked', 'confirmed'))
       union all
       select 'paid', p.user_id, p.status, 'p' || p.payout_id, p.currency, null, p.amount
       from payouts p where p.paid_at > $1 and p.paid_at <= $2 and p.side = 'shopper')
     insert into notifications (user_id, kind, subject, amount, currency, brand, next_attempt_at, created_at, status_at)
     select user_id, kind, subject, amount, currency, brand, $2, $2, $2 from events where amount > 0 order by kind, subject
     on conflict (kind, subject) do nothing`,
    [new Date(window.from), new Date(window.to)],
  );
  return rowCount;
}

/** Closes what is no news any more, and what was under way when its sender died: that may have gone out. */
export async function closeNotifications(tx: Tx, now: number, staleBefore: number): Promise<void> {
  await tx.query(
    `update notifications set status = case status when 'sending' then 'unknown' else 'stale' end, status_at = $1
     where (kind, subject) in (select kind, subject from notifications
       where (status = 'sending' and next_attempt_at <= $1) or (status = 'queued' and next_attempt_at <= $1 and created_at < $2)
       order by kind, subject limit 1000 for update skip locked)`,
    [new Date(now), new Date(staleBefore)],
  );
}

/** Takes notifications that are due, oldest first, with whom they are for. */
export async function claimNotifications(
  tx: Tx,
  claim: { now: number; leaseMs: number; limit: number },
): Promise<Notification[]> {
  const { rows } = await tx.query<Notification>(
    `with due as (
       select kind, subject from notifications where status = 'queued' and next_attempt_at <= $1
       order by next_attempt_at, kind, subject limit $3 for update skip locked),
     taken as (
       update notifications n set status = 'sending', attempts = attempts + 1, next_attempt_at = $2, status_at = $1
       from due where n.kind = due.kind and n.subject = due.subject returning n.*)
     select t.kind, t.subject, t.amount::text, t.currency, t.brand, t.attempts as attempt, u.phone, u.language,
       case t.kind when 'tracked' then coalesce(p.tracked, true) when 'confirmed' then coalesce(p.confirmed, true)
         when 'paid' then coalesce(p.paid, true) else coalesce(p.reversed, true) end as "isWanted"
     from taken t join users u on u.user_id = t.user_id left join notification_preferences p on p.user_id = t.user_id`,
    [new Date(claim.now), new Date(claim.now + claim.leaseMs), claim.limit],
  );
  return rows;
}

export type NotificationEnd = 'sent' | 'switched_off' | 'failed' | 'unknown';

/**
 * Ends a notification that is being sent; or queues it again for `again` (milliseconds since the Unix epoch), for it certainly did not go out.
 * @param messageId the gateway's, once it took the message; empty where it gave none
 */
export async function settleNotification(
  tx: Tx,
  { kind, subject, attempt }: Pick<Notification, 'kind' | 'subject' | 'attempt'>,
  end: NotificationEnd | { readonly again: number },
  now: number,
  messageId = '',
): Promise<void> {
  const again = typeof end === 'string' ? null : new Date(end.again);
  await tx.query(
    `update notifications set status = $4, status_at = $5, next_attempt_at = coalesce($6, next_attempt_at), message_id = nullif($7, '')
     where kind = $1 and subject = $2 and status = 'sending' and attempts = $3`,
    [kind, subject, attempt, typeof end === 'string' ? end : 'queued', new Date(now), again, messageId],
  );
}

/** What the transaction's user wants to be told. Runs in `withUser`. */
export async function notificationPreferences(tx: Tx, params: { user_id: string }): Promise<NotificationPreferences> {
  const { rows } = await tx.query<NotificationPreferences>(
    'select tracked, confirmed, paid, reversed from notification_preferences where user_id = $1',
    [params.user_id],
  );
  return rows[0] ?? { tracked: true, confirmed: true, paid: true, reversed: true };
}

/** Changes what is given and leaves the rest. Runs in `withUser`. */
export async function changeNotificationPreferences(
  tx: Tx,
  params: { user_id: string; change: { [kind in NotificationKind]?: boolean | undefined }; at: Date },
): Promise<NotificationPreferences> {
  const { tracked = null, confirmed = null, paid = null, reversed = null } = params.change;
  const { rows } = await tx.query<NotificationPreferences>(
    `insert into notification_preferences as p (user_id, tracked, confirmed, paid, reversed, updated_at)
     values ($1, coalesce($2, true), coalesce($3, true), coalesce($4, true), coalesce($5, true), $6)
     on conflict (user_id) do update set tracked = coalesce($2, p.tracked), confirmed = coalesce($3, p.confirmed), paid = coalesce($4, p.paid),
       reversed = coalesce($5, p.reversed), updated_at = excluded.updated_at
     returning tracked, confirmed, paid, reversed`,
    [params.user_id, tracked, confirmed, paid, reversed, params.at],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('an upsert without a row');
  return row;
}
