import { type Conversion, type LedgerRow, move, payeeOf, rewardOf } from './conversion.ts';
import { accounts, eventIds, postEvent } from './journal.ts';
import type { Paise } from './money.ts';
import { noSettlement, type PayeeState, payeeKey, payeesOf, type Settlement, workOff } from './settlement.ts';

/** Who gets the shopper's part of a reward that nobody claimed: the creator whose link it was, or the platform. */
export const DESTINATIONS = ['creator', 'platform'] as const;
export type Destination = (typeof DESTINATIONS)[number];

/** The reason on the ledger rows of a reward that expired. */
export const EXPIRED = 'expired';

/** A conversion after its expiry, and how the daily figures change. Paise. */
export type Expired = { conversion: Conversion; toCreator: Paise; toPlatform: Paise };

/**
 * Ends the wait of rewards whose shopper never became known: the creator's part is released, and the shopper's goes to its destination by a further
 * ledger row. From then on the conversion's share is zero, so that a later change or reversal takes back what was given to whom it was given.
 * `states` holds the creators' accounts and is changed; `at` in milliseconds since the Unix epoch.
 */
export function expire(
  states: ReadonlyMap<string, PayeeState>,
  conversions: readonly Conversion[],
  options: { destination: Destination; mint: () => bigint; at: number },
): { settlement: Settlement; expired: Expired[] } {
  const settlement = noSettlement();
  const expired = conversions.map((conversion) => expireOne(settlement, states, conversion, options));
  return { settlement, expired };
}

function expireOne(
  out: Settlement,
  states: ReadonlyMap<string, PayeeState>,
  before: Conversion,
  options: { destination: Destination; mint: () => bigint; at: number },
): Expired {
  const { tenantId, currency } = before;
  const waiting = before.ledger.filter((row) => row.status === 'pending');
  const user = waiting.reduce((sum, row) => sum + row.user, 0n);
  const creator = waiting.reduce((sum, row) => sum + row.creator, 0n);
  const toCreator = options.destination === 'creator' ? user : 0n;
  const toPlatform = user - toCreator;
  for (const row of waiting) move(row, 'confirmed', EXPIRED, options.at);
  const forfeited = before.forfeited ?? (options.destination === 'platform' ? before.share : 0n);
  const conversion: Conversion = { ...before, share: 0n, forfeited, isChanged: true };
  if (user !== 0n) {
    conversion.net -= toPlatform;
    conversion.fee += toPlatform;
    conversion.amendments += 1;
    const row: LedgerRow = {
      ledId: options.mint(),
      seq: conversion.amendments,
      user: -user,
      creator: toCreator,
      status: 'confirmed',
      reason: EXPIRED,
      statusAt: options.at,
      isNew: true,
      isChanged: false,
    };
    conversion.ledger = [...before.ledger, row];
  }
  const event = {
    eventId: eventIds.expiry(conversion.convId, conversion.rounds),
    kind: 'expiry' as const,
    tenantId,
    currency,
  };
  out.postings.push(
    ...postEvent(event, [
      { account: accounts.payee('shopper', 'pending', tenantId, payeeOf(conversion)), amount: -user },
      { account: accounts.payee('creator', 'pending', tenantId, tenantId), amount: -creator },
      { account: accounts.payee('creator', 'available', tenantId, tenantId), amount: creator + toCreator },
      { account: accounts.fee(tenantId), amount: toPlatform },
    ]),
  );
  const [creatorKey] = payeesOf(conversion);
  const state = creatorKey === undefined ? undefined : states.get(payeeKey(creatorKey));
  if (state === undefined) throw new Error('the creator of an expired reward has no account');
  state.account.available += creator + toCreator;
  const share = state.shares.find((candidate) => candidate.convId === conversion.convId);
  if (share !== undefined) share.net += creator + toCreator;
  workOff(out, state, eventIds.settlement(rewardOf(conversion).ledId, 'creator', conversion.rounds));
  return { conversion, toCreator, toPlatform };
}
