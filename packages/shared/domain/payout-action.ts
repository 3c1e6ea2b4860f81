import type { PayoutStatus } from './payout-state.ts';
import { LEASE_MS } from './retry-schedule.ts';

/** What an operator may do to a payout. */
export const PAYOUT_ACTIONS = ['hold', 'release', 'cancel', 'retry', 'resolve'] as const;
export type PayoutAction = (typeof PAYOUT_ACTIONS)[number];

/** Amazon cancels a card within 15 minutes only. Milliseconds. */
export const CANCEL_WINDOW_MS = 15 * 60_000;

/** A payout as far as operators steer it; times in milliseconds since the Unix epoch. */
export type Steered = {
  readonly status: PayoutStatus;
  readonly cardMayExist: boolean;
  readonly isHeldByOperator: boolean;
  readonly isCancelling: boolean;
  readonly isResolved: boolean;
  readonly nextAttemptAt: number;
  readonly issuedAt: number | null;
};

export type ActionDecision =
  | { readonly kind: 'hold'; readonly to: PayoutStatus }
  /** It is due at once. */
  | { readonly kind: 'release' | 'retry'; readonly to: PayoutStatus; readonly nextAttemptAt: number }
  /** No card can exist: its money goes back to the payee. */
  | { readonly kind: 'cancel' }
  /** There is a card that was not delivered: Amazon must cancel it first. */
  | { readonly kind: 'cancel_card' }
  | { readonly kind: 'resolve' }
  | { readonly kind: 'refused'; readonly why: ActionRefusal };

export type ActionRefusal =
  | 'wrong_status'
  | 'held_already'
  | 'not_held'
  | 'held_by_operator'
  | 'card_may_exist'
  | 'too_late'
  | 'cancelling_already'
  | 'resolved_already';

const WAITING: readonly PayoutStatus[] = ['queued', 'sending', 'held', 'error_soft'];

/**
 * What an action does to a payout that is locked.
 * Held: nobody asks for its card and nobody delivers it until it is released; an answer that is under way is asked for again afterwards, by the same id.
 * A payout is cancelled only while no card can exist, or when Amazon cancels the card before its code was delivered (money rule 14).
 *
 * @param now milliseconds since the Unix epoch
 */
export function decideAction(action: PayoutAction, payout: Steered, now: number): ActionDecision {
  const { status } = payout;
  switch (action) {
    case 'hold':
      if (!WAITING.includes(status) && status !== 'issued') return refused('wrong_status');
      if (payout.isHeldByOperator) return refused('held_already');
      return { kind: 'hold', to: status === 'issued' ? 'issued' : 'held' };
    case 'release':
      if (!payout.isHeldByOperator) return refused('not_held');
      // What no call was made for is queued again: a reversal may still cancel it.
      return {
        kind: 'release',
        to: status === 'held' && !payout.cardMayExist ? 'queued' : status,
        nextAttemptAt: now,
      };
    case 'cancel':
      return cancel(payout, now);
    case 'retry': {
      if (payout.isHeldByOperator || payout.isCancelling) return refused('held_by_operator');
      if (!WAITING.includes(status) && status !== 'issued') return refused('wrong_status');
      // What is due within a lease may be somebody's at this moment: it needs no help, and an SMS might go out twice.
      const isSoon = payout.nextAttemptAt <= now + LEASE_MS && status !== 'error_soft';
      return {
        kind: 'retry',
        to: status === 'error_soft' ? 'sending' : status,
        nextAttemptAt: isSoon ? payout.nextAttemptAt : now,
      };
    }
    case 'resolve':
      if (status !== 'error_hard') return refused('wrong_status');
      return payout.isResolved ? refused('resolved_already') : { kind: 'resolve' };
  }
}

function cancel(payout: Steered, now: number): ActionDecision {
  const { status } = payout;
  if (payout.isCancelling && status === 'issued') return refused('cancelling_already');
  if (status === 'issued') {
    const isInTime = payout.issuedAt !== null && now - payout.issuedAt <= CANCEL_WINDOW_MS;
    return isInTime ? { kind: 'cancel_card' } : refused('too_late');
  }
  if (!WAITING.includes(status)) return refused('wrong_status');
  return payout.cardMayExist ? refused('card_may_exist') : { kind: 'cancel' };
}

function refused(why: ActionRefusal): ActionDecision {
  return { kind: 'refused', why };
}
