import type { ActionRefusal, PayoutAction } from '../domain/payout-action.ts';
import type { PayoutStatus } from '../domain/payout-state.ts';
import type { ResendRefusal } from '../domain/voucher-message.ts';

// What the api may ask of the payout worker, the only one that holds AGCOD's keys.

export type OperatePayout = {
  readonly payoutId: string;
  readonly action: PayoutAction;
  readonly operatorId: string;
  readonly reason: string;
};

export type PayoutOperated =
  | { readonly ok: true; readonly status: PayoutStatus }
  | {
      readonly ok: false;
      readonly reason:
        | 'not_found'
        | 'not_operator'
        | ActionRefusal
        /** Amazon did not cancel the card: the payout goes on. */
        | 'amazon_refused'
        /** No answer from Amazon: the payout waits, and a run finds out. */
        | 'unknown_outcome'
        /** No call may be made now. */
        | 'unavailable';
    };

export type ShowVoucher = { readonly payoutId: string; readonly userId: string };

export type VoucherShown =
  | {
      readonly ok: true;
      /** Never log, store or cache it. */
      readonly claimCode: string;
      readonly amount: string;
      readonly currency: string;
    }
  | { readonly ok: false; readonly reason: 'not_found' | 'not_paid' | 'cancelled' | 'unavailable' };

export type ResendVoucher = { readonly payoutId: string; readonly operatorId: string; readonly reason: string };

export type VoucherResent =
  /** The gateway has taken the message. */
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason:
        | 'not_found'
        | 'not_operator'
        | ResendRefusal
        /** Whom it is for has no phone. */
        | 'no_phone'
        /** Amazon says that the card was cancelled. */
        | 'card_cancelled'
        /** The gateway did not take it, or was silent. */
        | 'not_sent'
        /** No call may be made now, or Amazon gave no code. */
        | 'unavailable';
    };

export type PayoutCalls = {
  operate(request: OperatePayout): Promise<PayoutOperated>;
  voucher(request: ShowVoucher): Promise<VoucherShown>;
  resend(request: ResendVoucher): Promise<VoucherResent>;
};
