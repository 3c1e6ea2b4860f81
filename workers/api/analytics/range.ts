import type { timeSeriesQuery } from '@hissaback/shared/contracts/analytics';
import { sqlState } from '@hissaback/shared/db/client';
import { midnight } from '@hissaback/shared/db/queries/analytics';
import type { Tx } from '@hissaback/shared/db/types';
import { invalidField, ProblemError } from '@hissaback/shared/http/problem';
import type { z } from 'zod';

type Asked = Pick<z.output<typeof timeSeriesQuery>, 'from' | 'to' | 'period' | 'time_zone'>;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const INVALID_PARAMETER = '22023';
const QUERY_CANCELED = '57014';

/**
 * The range that a report is asked for: `from` until before `to`, else the given number of whole days in the time zone before today, and today.
 *
 * @param mostDays the longest range
 * @throws ProblemError `invalid_field` (422)
 */
export async function rangeOf(tx: Tx, asked: Asked, now: Date, mostDays: number): Promise<{ from: Date; to: Date }> {
  // Until the end of this minute: who asks again within it and finds nothing new is told so by the ETag.
  const to = asked.to ?? new Date(Math.ceil(now.getTime() / MINUTE_MS) * MINUTE_MS);
  const at = asked.to ?? now;
  const from = asked.from ?? (await midnight(tx, { at, days: asked.period, time_zone: asked.time_zone }));
  if (from >= to) throw invalidField('from', 'Must lie before to');
  // The day a range begins in, and the one it ends in, are not whole.
  if (to.getTime() - from.getTime() > (mostDays + 2) * DAY_MS) {
    throw invalidField(asked.from === undefined ? 'period' : 'from', `Must span at most ${mostDays} days`);
  }
  return { from, to };
}

/** What PostgreSQL refuses as an answer of ours: a time zone that it does not know, and a report that it does not finish in time. */
export function reportRefused(error: unknown): never {
  const state = sqlState(error);
  if (state === INVALID_PARAMETER) throw invalidField('time_zone', 'Must be a time zone such as Asia/Kolkata');
  if (state !== QUERY_CANCELED) throw error;
  throw new ProblemError('unavailable', { detail: 'The report takes too long. Narrow it down, or ask for less time.' });
}
