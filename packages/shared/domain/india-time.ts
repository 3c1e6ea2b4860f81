/** India's time is UTC+05:30 all year round, in milliseconds. */
const IST_MS = 19_800_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The bounds of a month of India, in milliseconds since the Unix epoch; `to` is the next month's begin. Null for what is no month (YYYY-MM). */
export function monthBounds(month: string): { from: number; to: number } | null {
  const match = /^(20\d{2})-(0[1-9]|1[0-2])$/.exec(month);
  if (match === null) return null;
  const [year, number] = [Number(match[1]), Number(match[2])];
  return { from: Date.UTC(year, number - 1, 1) - IST_MS, to: Date.UTC(year, number, 1) - IST_MS };
}

/** The day in India as YYYY-MM-DD. @param at milliseconds since the Unix epoch */
export function indianDay(at: number): string {
  return new Date(at + IST_MS).toISOString().slice(0, 10);
}

/** The time in India as `YYYY-MM-DD HH:MM`. @param at milliseconds since the Unix epoch */
export function indianMinute(at: number): string {
  return new Date(at + IST_MS).toISOString().slice(0, 16).replace('T', ' ');
}

/** Begin of the day in India, in milliseconds since the Unix epoch. */
export function dayStart(at: number): number {
  return Math.floor((at + IST_MS) / DAY_MS) * DAY_MS - IST_MS;
}

/** When the day of the month (1 to 28) last began in India; both in milliseconds since the Unix epoch. */
export function lastDayOfMonth(day: number, at: number): number {
  const local = new Date(at + IST_MS);
  const months = local.getUTCDate() >= day ? 0 : -1;
  return Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + months, day) - IST_MS;
}

/** When the day of the month (1 to 28) next begins in India, after `at`; both in milliseconds since the Unix epoch. */
export function nextDayOfMonth(day: number, at: number): number {
  const last = new Date(lastDayOfMonth(day, at) + IST_MS);
  return Date.UTC(last.getUTCFullYear(), last.getUTCMonth() + 1, day) - IST_MS;
}

/** The hours of the day in India in which messages may go out: from `from` up to `to`, whole hours from 0 to 24. */
export type Hours = { readonly from: number; readonly to: number };

/**
 * Reads hours such as `9-21`.
 * @throws RangeError
 */
export function parseHours(text: string): Hours {
  const [, from = '', to = ''] = /^(\d{1,2})-(\d{1,2})$/.exec(text) ?? [];
  const hours = { from: Number(from), to: Number(to) };
  if (from === '' || hours.from >= hours.to || hours.to > 24) throw new RangeError('hours are written as 9-21');
  return hours;
}

/** The earliest time from `at` on that lies within the hours; milliseconds since the Unix epoch. */
export function withinHours(hours: Hours, at: number): number {
  const start = dayStart(at);
  if (at < start + hours.from * HOUR_MS) return start + hours.from * HOUR_MS;
  if (at >= start + hours.to * HOUR_MS) return start + DAY_MS + hours.from * HOUR_MS;
  return at;
}
