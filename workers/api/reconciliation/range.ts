import { invalidField } from '@hissaback/shared/http/problem';

const DAY_MS = 86_400_000;
const USUAL_DAYS = 30;
const MOST_DAYS = 400;

/**
 * The days that a report covers, both included: those asked for, else the last thirty. `now` in milliseconds since the Unix epoch.
 *
 * @throws ProblemError `invalid_field` (422) for days that end before they begin, or more than 400
 */
export function daysOf(
  asked: { from?: string | undefined; to?: string | undefined },
  now: number,
): { from: string; to: string } {
  const to = asked.to ?? new Date(now).toISOString().slice(0, 10);
  const from = asked.from ?? new Date(Date.parse(to) - (USUAL_DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  if (days < 1) throw invalidField('from', 'Lies behind to');
  if (days > MOST_DAYS) throw invalidField('from', `At most ${MOST_DAYS} days`);
  return { from, to };
}
