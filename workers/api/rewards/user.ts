import { type Reward, rewardQuery, rewards } from '@hissaback/shared/contracts/rewards';
import { roomWithoutKyc } from '@hissaback/shared/db/queries/profile';
import { type RewardRow, rewardsOfUser } from '@hissaback/shared/db/queries/rewards';
import { withUser } from '@hissaback/shared/db/tenancy';
import type { Tx } from '@hissaback/shared/db/types';
import { financialYearStart } from '@hissaback/shared/domain/kyc';
import { type Paise, parsePaise } from '@hissaback/shared/domain/money';
import { nextStep } from '@hissaback/shared/domain/reward-eta';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { BIGINT, decodeCursor, MICROSECONDS, pageOf } from '../http/page.ts';
import { operation } from '../openapi/operation.ts';
import { ownSubject } from './own-subject.ts';

/** KYC is India's, and so are the vouchers it is asked for. */
const VOUCHER_CURRENCY = 'INR';

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
    const now = c.var.clock.now();
    const minimum = parsePaise(c.env.PAYOUT_MINIMUM);
    const { rows, room } = await withUser(c.var.db, user_id, async (tx) => ({
      rows: await rewardsOfUser(tx, { ...filters, user_id, after, limit: limit + 1 }),
      room: await roomOf(tx, user_id, c.env.KYC_YEARLY_LIMIT, now),
    }));
    const page = pageOf(rows, limit, c.req.url, (last) => [String(last.at), String(last.led_id)]);
    return c.json(
      page.rows.map((row) => rewardView(row, minimum, room(row.currency), now)),
      200,
      page.headers,
    );
  },
);

function rewardView(row: RewardRow, minimum: Paise, room: Paise | null, now: number): Reward {
  const { status, payout_status, payout_due_at } = row;
  const payout =
    payout_status === null || payout_due_at === null
      ? null
      : { status: payout_status, dueAt: payout_due_at.getTime(), isHeld: row.payout_is_held === true };
  const awaited = { status, available: parsePaise(row.available), payout, isApproved: row.is_approved };
  const terms = { minimum, room, isBlocked: row.is_blocked, isStopped: row.is_stopped };
  const { eta, waitsFor } = nextStep({ ...awaited, releaseAt: row.release_at.getTime() }, terms, now);
  return {
    led_id: String(row.led_id),
    amount: row.amount,
    currency: row.currency,
    status,
    eta: eta === null ? null : new Date(eta).toISOString(),
    waits_for: waitsFor,
    brand: row.brand,
    created_at: row.created_at.toISOString(),
  };
}

/** What the shopper may still be paid this year without KYC, by currency; vouchers are in one currency, whose total is limited. */
async function roomOf(
  tx: Tx,
  user_id: string,
  limit: string,
  now: number,
): Promise<(currency: string) => Paise | null> {
  // The setting is empty where there is no limit.
  if (!limit) return () => null;
  const since = new Date(financialYearStart(now));
  const room = await roomWithoutKyc(tx, {
    user_id,
    side: 'shopper',
    currency: VOUCHER_CURRENCY,
    since,
    limit: parsePaise(limit),
  });
  return (currency) => (currency === VOUCHER_CURRENCY ? room : null);
}
