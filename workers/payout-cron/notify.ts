import { type SmsResult, sendSms } from '@hissaback/shared/clients/sms';
import {
  claimNotifications,
  closeNotifications,
  collectNotifications,
  type Notification,
  type NotificationEnd,
  settleNotification,
} from '@hissaback/shared/db/queries/notifications';
import { readWatermark, writeWatermark } from '@hissaback/shared/db/queries/schedules';
import { withinHours } from '@hissaback/shared/domain/india-time';
import type { NotificationKind } from '@hissaback/shared/domain/notification';
import { LEASE_MS, smsDelay } from '@hissaback/shared/domain/retry-schedule';
import type { PayoutSettings } from './deps.ts';
import { logEvent, reasonOf } from './log.ts';
import { notificationMessage } from './messages/notification.ts';
import { type MessageLanguage, messageLanguage } from './messages/voucher.ts';
import type { PayoutRun } from './run.ts';

const SCHEDULE = 'payout';
/** How much of the time before is looked at again: a transaction may be committed long after the time it wrote. */
const OVERLAP_MS = 15 * 60_000;
const DAY_MS = 86_400_000;
/** After that it is no news. */
const STALE_MS = 2 * DAY_MS;
const MOST_ATTEMPTS = 5;
const AT_ONCE = 4;

/**
 * Tells shoppers by SMS what became of their rewards, unless they switched it off, and not at night. Each thing is told at most once: what the gateway may
 * have taken is not sent again. Never breaks a run: money does not wait for it.
 */
export async function notify(run: PayoutRun): Promise<void> {
  const settings = run.config.notifications;
  if (settings === null) return;
  try {
    await collect(run);
    const now = run.clock.now();
    await run.db.transaction((tx) => closeNotifications(tx, now, now - STALE_MS));
    if (withinHours(settings.hours, now) === now) await sendAll(run);
  } catch (error) {
    logEvent('error', 'notifications_failed', { reason: reasonOf(error) });
  }
}

/**
 * Enters what there is to tell before a run pays: what was confirmed since the last one may be paid by this one, and both are told. Never breaks a run.
 */
export async function enterNotifications(run: PayoutRun): Promise<void> {
  if (run.config.notifications === null) return;
  try {
    await collect(run);
  } catch (error) {
    logEvent('error', 'notifications_failed', { reason: reasonOf(error) });
  }
}

/** The first run tells nothing of the past. */
async function collect(run: PayoutRun): Promise<void> {
  const to = run.clock.now();
  const added = await run.db.transaction(async (tx) => {
    const { toldUntil, toldSince } = await readWatermark(tx, SCHEDULE);
    const isFirst = typeof toldUntil !== 'number';
    const since = typeof toldSince === 'number' ? toldSince : 0;
    const from = isFirst ? to : Math.max(toldUntil - OVERLAP_MS, to - STALE_MS, since);
    const count = await collectNotifications(tx, { from, to });
    await writeWatermark(tx, SCHEDULE, { toldUntil: to, ...(isFirst && { toldSince: to - 1 }) });
    return count;
  });
  if (added > 0) logEvent('info', 'notifications_entered', { count: added });
}

async function sendAll(run: PayoutRun): Promise<void> {
  while (!run.isOver()) {
    const now = run.clock.now();
    const taken = await run.db.transaction((tx) => claimNotifications(tx, { now, leaseMs: LEASE_MS, limit: AT_ONCE }));
    await Promise.all(taken.map((notification) => sendOne(run, notification)));
    if (taken.length < AT_ONCE) return;
  }
}

async function sendOne(run: PayoutRun, notification: Notification): Promise<void> {
  const { end, messageId = '' } = await send(run, notification);
  const now = run.clock.now();
  await run.db.transaction((tx) => settleNotification(tx, notification, end, now, messageId));
  if (end === 'failed' || end === 'unknown')
    logEvent('error', 'notification_not_sent', { kind: notification.kind, subject: notification.subject, end });
}

type Sent = { readonly end: NotificationEnd | { again: number }; readonly messageId?: string };

async function send(run: PayoutRun, notification: Notification): Promise<Sent> {
  if (!notification.isWanted) return { end: 'switched_off' };
  if (notification.phone === null) return { end: 'failed' };
  const { settings } = run;
  const { kind, subject, amount, currency, brand, attempt } = notification;
  const language = messageLanguage(notification.language);
  const result = await sendSms(
    {
      endpoint: settings.SMS_ENDPOINT,
      authKey: settings.SMS_AUTH_KEY,
      sender: settings.SMS_SENDER,
      entityId: settings.DLT_ENTITY_ID,
      fetch: run.fetch,
    },
    {
      to: notification.phone,
      text: notificationMessage(kind, language, { amount, currency, brand }),
      kind,
      templateId: templateOf(settings, kind, language),
      reference: `${kind}-${subject}`,
    },
  );
  if (result.ok) return { end: 'sent', messageId: result.id };
  if (!isCertain(result)) return { end: 'unknown' };
  if (!result.retryable || attempt >= MOST_ATTEMPTS) return { end: 'failed' };
  return { end: { again: run.clock.now() + smsDelay(attempt) } };
}

/** The gateway said no, or that it is in trouble. A silence may be a message that went out. */
function isCertain(result: Extract<SmsResult, { ok: false }>): boolean {
  return result.notSent || result.reason === 'gateway_error';
}

function templateOf(settings: PayoutSettings, kind: NotificationKind, language: MessageLanguage): string {
  const english = {
    tracked: settings.DLT_TEMPLATE_TRACKED,
    confirmed: settings.DLT_TEMPLATE_CONFIRMED,
    paid: settings.DLT_TEMPLATE_PAID,
    reversed: settings.DLT_TEMPLATE_REVERSED,
  };
  const hindi = {
    tracked: settings.DLT_TEMPLATE_TRACKED_HI,
    confirmed: settings.DLT_TEMPLATE_CONFIRMED_HI,
    paid: settings.DLT_TEMPLATE_PAID_HI,
    reversed: settings.DLT_TEMPLATE_REVERSED_HI,
  };
  return (language === 'hi' ? hindi[kind] : '') || english[kind];
}
