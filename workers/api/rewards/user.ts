import { type Reward, rewardQuery, rewards } from '@hissaback/shared/contracts/rewards';
import { type RewardRow, rewardsOfUser } from '@hissaback/shared/db/queries/rewards';
import { withUser } from '@hissaback/shared/db/tenancy';
import { type Paise, parsePaise } from '@hissaback/shared/domain/money';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { BIGINT, decodeCursor, MICROSECONDS, pageOf } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';
import { ownSubject } from './own-subject.ts';

/** Payouts run every minute. */
const PAYOUT_EVERY_MS = 60_000;

/** `GET /v1/rewards/user?user_id&status&currency&tenant_id&from&to=`: one's own rewards in every tenant, newest first. */
export const userRewards = new Hono<ApiContext>().get(
  '/v1/rewards/user',
  operation({ id: 'listRewards', summary: 'List the own rewards, newest first', answer: rewards }),
  authenticate(['shopper', 'creator']),
  queryInput(rewardQuery),
  async (c) => {
    const input = c.req.valid('query');
    const user_id = ownSubject(c.var.principal, input.id('user_id'));
    const { cursor, limit, user_id: _, ...filters } = input.check();
    const [at, id] = cursor === undefined ? [] : decodeCursor(cursor, [MICROSECONDS, BIGINT]);
    const after = at === undefined || id === undefined ? undefined : { at: BigInt(at), id: BigInt(id) };
    const rows = await withUser(c.var.db, user_id, (tx) =>
      rewardsOfUser(tx, { ...filters, user_id, after, limit: limit + 1 }),
    );
    const page = pageOf(rows, limit, c.req.url, (last) => [String(last.at), String(last.led_id)]);
    const minimum = parsePaise(c.env.PAYOUT_MINIMUM);
    const now = c.var.clock.now();
    return c.json(
      page.rows.map((row) => rewardView(row, minimum, now)),
      200,
      page.headers,
    );
  },
);

function rewardView(row: RewardRow, minimum: Paise, now: number): Reward {
  return {
    led_id: String(row.led_id),
    amount: row.amount,
    currency: row.currency,
    status: row.status,
    eta: etaOf(row, minimum, now)?.toISOString() ?? null,
    brand: row.brand,
    created_at: row.created_at.toISOString(),
  };
}

/**
 * When something happens next: the cool-off's end, then the next payout run if the balance reaches the minimum (paise); nothing is awaited of what is
 * paid or refused.
 *
 * @param now milliseconds since the Unix epoch
 */
export function etaOf(
  row: Pick<RewardRow, 'status' | 'release_at' | 'payable'>,
  minimum: Paise,
  now: number,
): Date | null {
  if (row.status === 'pending' || row.status === 'review') return row.release_at;
  if (row.status !== 'confirmed' || parsePaise(row.payable) < minimum) return null;
  return new Date((Math.floor(now / PAYOUT_EVERY_MS) + 1) * PAYOUT_EVERY_MS);
}
