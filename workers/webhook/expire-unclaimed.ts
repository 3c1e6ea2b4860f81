import { writeIntake } from '@hissaback/shared/db/queries/intake-write';
import { lockPayees, writeSettlement } from '@hissaback/shared/db/queries/payee-accounts';
import { findUnclaimed, lockUnclaimed, markExpired } from '@hissaback/shared/db/queries/unclaimed';
import type { Database } from '@hissaback/shared/db/types';
import { mintId } from '@hissaback/shared/domain/click-id';
import { DESTINATIONS, type Destination, expire } from '@hissaback/shared/domain/expiry';
import { rewardsOf } from '@hissaback/shared/domain/settlement';
import type { Deps } from './deps.ts';
import { whole } from './settings.ts';

const DAY_MS = 86_400_000;
const BATCH = 200;
const MOST_BATCHES = 50;
const SHARDS = 16;

/**
 * Rewards that no shopper claimed within UNCLAIMED_DAYS of the conversion expire: the creator's part is released, the shopper's goes to UNCLAIMED_TO.
 * It takes the locks of a claim, so that a login at the same moment either gets the reward or comes too late, never half of it.
 * @throws RangeError naming a setting that is none
 */
export async function expireUnclaimed(db: Database, env: WebhookEnv, deps: Deps): Promise<Record<string, number>> {
  const days = whole(env.UNCLAIMED_DAYS, 'UNCLAIMED_DAYS', 3_650);
  const destination = destinationOf(env.UNCLAIMED_TO);
  let expiredCount = 0;
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const now = deps.clock.now();
    const limits = { before: now - days * DAY_MS, now };
    const done = await db.transaction(async (tx) => {
      const found = await findUnclaimed(tx, { ...limits, limit: BATCH });
      if (found.length === 0) return { found: 0, expired: 0 };
      const conversions = await lockUnclaimed(tx, found, limits);
      const rewards = rewardsOf(conversions).filter(({ side }) => side === 'creator');
      const states = await lockPayees(
        tx,
        rewards.map((reward) => ({ ...reward, taken: 0n, given: 0n })),
        rewards,
      );
      const mint = () => mintId(deps.clock, deps.random);
      const { settlement, expired } = expire(states, conversions, { destination, mint, at: now });
      const [shard = 0] = deps.random.bytes(1);
      if (expired.length > 0)
        await writeIntake(tx, {
          births: [],
          changed: expired.map(({ conversion }) => conversion),
          postings: [],
          postbacks: [],
          unmatched: [],
          recovered: [],
          ordersTaken: [],
          ordersFreed: [],
          ordersPast: [],
          ordersPastFreed: [],
          rollups: expired.map(({ conversion, toCreator, toPlatform }) => ({
            tenantId: conversion.tenantId,
            linkId: conversion.linkId,
            at: conversion.occurredAt,
            net: -toPlatform,
            user: -(toCreator + toPlatform),
            creator: toCreator,
          })),
          shard: shard % SHARDS,
          at: now,
        });
      await markExpired(
        tx,
        expired.map(({ conversion }) => conversion.convId),
        destination,
      );
      await writeSettlement(tx, states, settlement, now);
      return { found: found.length, expired: expired.length };
    });
    expiredCount += done.expired;
    if (done.found < BATCH || done.expired === 0) break;
  }
  return { expired: expiredCount };
}

function destinationOf(setting: string): Destination {
  const destination = DESTINATIONS.find((known) => known === setting);
  if (destination === undefined) throw new RangeError(`UNCLAIMED_TO must be one of ${DESTINATIONS.join(', ')}`);
  return destination;
}
