import { dayStart, lastDayOfMonth, nextDayOfMonth } from './india-time.ts';

const DAY_MS = 86_400_000;

/** When creators are paid: a day of the month (1 to 28, India's), every day, or never. */
export type PayoutDay = number | 'daily' | 'never';

/**
 * Reads `CREATOR_PAYOUT_DAY`.
 * @throws RangeError
 */
export function parsePayoutDay(text: string): PayoutDay {
  if (text === 'never' || text === 'daily') return text;
  const day = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (day < 1 || day > 28) throw new RangeError('must be a day from 1 to 28, daily or never');
  return day;
}

/** Begin of the period that `at` lies in: each creator is paid once in it. Milliseconds since the Unix epoch. */
export function payoutPeriod(day: Exclude<PayoutDay, 'never'>, at: number): number {
  return day === 'daily' ? dayStart(at) : lastDayOfMonth(day, at);
}

/** When the next period begins; null if there is none. Milliseconds since the Unix epoch. */
export function nextPayoutPeriod(day: PayoutDay, at: number): number | null {
  if (day === 'never') return null;
  return day === 'daily' ? dayStart(at) + DAY_MS : nextDayOfMonth(day, at);
}
