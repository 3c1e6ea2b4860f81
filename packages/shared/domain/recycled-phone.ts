const DAY_MS = 86_400_000;
/** Days without a login or refresh after which a phone number may have gone to someone else, unless a setting says otherwise. */
export const RECYCLED_PHONE_DAYS = 180;

/** What is known of the user whose phone was just verified. */
export type PhoneHolder = {
  userId: string;
  /** The last login or refresh, in milliseconds since the Unix epoch; null if there was none. */
  lastActiveAt: number | null;
  /** What could tell the same person from a new owner of the number. */
  proofs: readonly Proof[];
  /** No profile, no rewards, no tenant: nothing to protect. */
  isBlank: boolean;
};

export const PROOFS = ['email', 'pan'] as const;
export type Proof = (typeof PROOFS)[number];

/** Whoever was last seen before this time needs a second proof. Milliseconds since the Unix epoch. */
export function inactiveSince(now: number, days: number): number {
  return now - days * DAY_MS;
}

/**
 * True if the phone alone is not enough to show what the account holds. An account nobody ever logged in to (made by an operator or by a seed) has no other
 * owner yet.
 */
export function needsSecondProof(holder: PhoneHolder, now: number, days: number): boolean {
  return !holder.isBlank && holder.lastActiveAt !== null && holder.lastActiveAt < inactiveSince(now, days);
}
