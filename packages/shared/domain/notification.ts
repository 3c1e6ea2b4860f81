/** What a shopper is told of a reward or a payout, unless they switched it off. */
export const NOTIFICATION_KINDS = ['tracked', 'confirmed', 'paid', 'reversed'] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];
export type NotificationPreferences = Record<NotificationKind, boolean>;
