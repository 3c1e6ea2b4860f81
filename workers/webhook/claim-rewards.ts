import {
  type Claimable,
  type ClaimDecision,
  loadClaimable,
  loadClaimableById,
  lockClaim,
  lockFreeConversion,
  writeClaim,
} from '@hissaback/shared/db/queries/claims';
import { loadOffers, lockAndLoadFacts, orderKeyText } from '@hissaback/shared/db/queries/intake';
import type { RollupChange } from '@hissaback/shared/db/queries/intake-write';
import type { Tx } from '@hissaback/shared/db/types';
import {
  type Books,
  type Conversion,
  isPending,
  move,
  payeeOf,
  reverse,
  rewardOf,
} from '@hissaback/shared/domain/conversion';
import { type FraudInputs, isStricter, judge, readFraudRules } from '@hissaback/shared/domain/fraud';
import { countInWindow } from '@hissaback/shared/domain/intake';
import { accounts, eventIds, postEvent } from '@hissaback/shared/domain/journal';
import { splitCommission } from '@hissaback/shared/domain/split';
import { type IntakeContext, orderOf } from './intake-batch.ts';

const DAY_MS = 86_400_000;
const LONGEST_WINDOW_MS = 7 * DAY_MS;
const SHARDS = 16;

/**
 * Gives a visitor's waiting rewards to the shopper whom it was bound to at login, once (money rule 8): every fraud rule runs again as of
 * each conversion's time, now that the shopper is known. Consumer and claim take the visitor's lock, so no reward is orphaned (fault 51).
 * @returns how many conversions were attached
 */
export async function claimRewards(
  tx: Tx,
  claim: { visitorId: string; userId: string },
  context: IntakeContext,
): Promise<number> {
  const isBound = await lockClaim(tx, claim);
  if (!isBound) return 0;
  return attach(tx, await loadClaimable(tx, claim.visitorId), claim.userId, context);
}

/**
 * Gives one conversion that no shopper is known of to a shopper, by a claim of missing cashback. One whose visitor has logged in as somebody else is theirs,
 * even if their own claim is still on its way.
 * @returns how many conversions were attached
 */
export async function attachConversion(
  tx: Tx,
  claim: { convId: bigint; userId: string },
  context: IntakeContext,
): Promise<number> {
  const isFree = await lockFreeConversion(tx, claim);
  if (!isFree) return 0;
  return attach(tx, await loadClaimableById(tx, claim.convId), claim.userId, context);
}

async function attach(tx: Tx, waiting: readonly Claimable[], userId: string, context: IntakeContext): Promise<number> {
  if (waiting.length === 0) return 0;
  // Of a reward that fraud refuses its order id is free again: nobody may look at who holds it meanwhile.
  const offers = await loadOffers(tx, [...new Set(waiting.map(({ conversion }) => conversion.offerId))]);
  const orders = waiting.flatMap(({ conversion }) => orderOf(offers.get(conversion.offerId), conversion.txnId) ?? []);
  const times = waiting.map(({ conversion }) => conversion.occurredAt);
  const tenantIds = [...new Set(waiting.map(({ conversion }) => conversion.tenantId))];
  const facts = await lockAndLoadFacts(tx, {
    keys: [`shopper:${userId}`, ...orders.map(orderKeyText)],
    userIds: [userId],
    visitorIds: [],
    from: Math.min(...times) - LONGEST_WINDOW_MS,
    to: Math.max(...times) + LONGEST_WINDOW_MS,
    pairs: tenantIds.map((tenantId) => ({ tenantId, userId })),
    orders: [],
    tenantIds,
  });
  const known = facts.times.get(userId) ?? [];
  const books: Books = { postings: [], settled: [] };
  const stricter = new Map<bigint, ClaimDecision>();
  const rollups: RollupChange[] = [];
  for (const { conversion, clickCountry, country } of waiting) {
    const stored = facts.rules.get(conversion.tenantId);
    const rules = readFraudRules(stored?.rules);
    const inputs: FraudInputs = {
      settingsVersion: stored?.version ?? 0,
      selfPurchase: facts.ownPeople.has(`${conversion.tenantId} ${userId}`),
      conversionsInWindow: countInWindow(known, conversion.occurredAt, rules.velocity.windowHours),
      velocityAsked: null,
      duplicateOrder: false, // asked at its birth; the shopper makes no difference to it
      clickCountry,
      conversionCountry: country,
    };
    const decision = judge(inputs, rules);
    known.push(conversion.occurredAt);
    if (isStricter(decision.verdict, conversion.verdict)) stricter.set(conversion.convId, { decision, inputs });
    const reward = rewardOf(conversion);
    if (!isPending(reward.status)) continue;
    moveToShopper(books, conversion, userId);
    const claimed = { ...conversion, userId };
    if (decision.verdict === 'reject') {
      reverse(books, claimed, 'rejected', decision.rules[0] ?? 'fraud', context.now);
      rollups.push(withdrawn(conversion));
    } else if (decision.verdict === 'review' && reward.status === 'pending')
      for (const row of conversion.ledger) move(row, 'review', decision.rules[0] ?? 'fraud', context.now);
    conversion.rounds = claimed.rounds;
  }
  const [shard = 0] = context.random.bytes(1);
  await writeClaim(tx, userId, {
    conversions: waiting.map(({ conversion }) => conversion),
    stricter,
    postings: books.postings,
    rollups,
    shard: shard % SHARDS,
    at: context.now,
  });
  return waiting.length;
}

/** A refused reward leaves the daily figures, which count live money only. */
function withdrawn(conversion: Conversion): RollupChange {
  const { tenantId, linkId, occurredAt, orderValue, net, share } = conversion;
  const { user, creator } = splitCommission(net, share);
  return {
    tenantId,
    linkId,
    at: occurredAt,
    orderValue: -(orderValue ?? 0n),
    net: -net,
    user: -user,
    creator: -creator,
  };
}

/** The pending money of a reward changes hands: the visitor's account, or nobody's, to the shopper's. */
function moveToShopper(books: Books, conversion: Conversion, userId: string): void {
  const { user } = splitCommission(conversion.net, conversion.share);
  const { tenantId, currency } = conversion;
  const event = { eventId: eventIds.claim(conversion.convId), kind: 'claim' as const, tenantId, currency };
  books.postings.push(
    ...postEvent(event, [
      { account: accounts.payee('shopper', 'pending', tenantId, payeeOf(conversion)), amount: -user },
      { account: accounts.payee('shopper', 'pending', tenantId, userId), amount: user },
    ]),
  );
}
