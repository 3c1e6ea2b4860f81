import type { Link, Offer, Terms } from '../world.ts';
import type { ClickName, Said, Status } from './said.ts';

export type State = 'pending' | 'review' | 'confirmed' | 'paid' | 'rejected' | 'reversed';
/** Who gets the shopper's part of a reward that nobody claimed. */
export type Heir = 'creator' | 'platform';
export type Verdict = 'clear' | 'review' | 'reject';

/** What a payout or a worked-off debt has used of a reward. Paise. */
export type Cover = { readonly payoutId: string | null; readonly amount: bigint };

/** One real sale in the model. Paise; milliseconds since the Unix epoch. */
export type Conversion = {
  /** The database's number for it, known once it was seen there. */
  convId: bigint;
  readonly click: ClickName;
  readonly link: Link;
  readonly offer: Offer;
  readonly occurredAt: number;
  readonly releaseAt: number;
  /** Where the click and the sale came from; the click's is unknown until the click is there. */
  clickCountry: string | null;
  readonly country: string | null;
  userId: string | null;
  goal: string | null;
  orderId: string | null;
  networkId: string | null;
  status: Status;
  amount: bigint | null;
  /** Who has the shopper's part, since nobody claimed it in time. */
  expiredTo: Heir | null;
  net: bigint;
  fee: bigint;
  /** The least that the shopper's part has ever been worth. */
  lowest: bigint;
  state: State;
  /** Since when its reward has been pending, and since when the network's id is known. */
  pendingSince: number;
  namedSince: number;
  verdict: Verdict;
  changedAt: number;
  cover: Cover[];
  /** What happened to it, for whoever has to understand a failure. */
  readonly story: string[];
};

const NOBODY = '00000000-0000-0000-0000-000000000000';

export function clickKey(click: ClickName): string {
  return `${click.clickId} ${click.linkId} ${click.visitorId ?? '-'}`;
}

export function payeeOf(conversion: Conversion): string {
  return conversion.userId ?? conversion.click.visitorId ?? NOBODY;
}

/** The two parts of a commission: the shopper's is cut off below the paisa, the creator has the rest; of an expired one the creator has all. */
export function parts(conversion: Pick<Conversion, 'net' | 'link' | 'expiredTo'>): { user: bigint; creator: bigint } {
  const user = conversion.expiredTo === null ? (conversion.net * conversion.link.share) / 10_000n : 0n;
  return { user, creator: conversion.net - user };
}

/** What the platform inherits of a reward goes from its net commission to the fee. */
export function inherited(
  { expiredTo, link }: Pick<Conversion, 'expiredTo' | 'link'>,
  { net, fee }: { net: bigint; fee: bigint },
): { net: bigint; fee: bigint } {
  if (expiredTo !== 'platform') return { net, fee };
  const { user } = parts({ net, link, expiredTo: null });
  return { net: net - user, fee: fee + user };
}

/** True while it counts: not refused, not reversed. */
export function isAlive(state: State): boolean {
  return state !== 'rejected' && state !== 'reversed';
}

export function isWaiting(state: State): boolean {
  return state === 'pending' || state === 'review';
}

export function isReleased(state: State): boolean {
  return state === 'confirmed' || state === 'paid';
}

export function isLost(status: Status): boolean {
  return status === 'cancelled' || status === 'rejected';
}

/** pending < approved < cancelled/rejected. */
export function rank(status: Status): number {
  return { pending: 0, approved: 1, cancelled: 2, rejected: 2 }[status];
}

/** What a report makes the sale worth: the network's word, else percent of the sale or the fixed amount, less the fee. */
export function worth(said: Said, offer: Offer, feePoints: bigint): { net: bigint; fee: bigint } | null {
  const terms: Terms = (said.country === null ? undefined : offer.countries[said.country]) ?? offer.terms;
  let gross: bigint;
  if (said.payout !== null) gross = said.payout;
  else if ('fixed' in terms) gross = terms.fixed;
  else if (said.amount !== null) gross = (said.amount * terms.pct) / 10_000n;
  else return null;
  const fee = (gross * feePoints) / 10_000n;
  return { net: gross - fee, fee };
}
