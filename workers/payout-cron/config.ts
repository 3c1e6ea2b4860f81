import type { AgcodAccount, AgcodCredentials } from '@hissaback/shared/clients/agcod';
import { type PayoutDay, parsePayoutDay } from '@hissaback/shared/domain/creator-schedule';
import { type Hours, parseHours } from '@hissaback/shared/domain/india-time';
import { type Keyring, keyringFrom } from '@hissaback/shared/domain/keyring';
import { type Paise, parsePaise } from '@hissaback/shared/domain/money';
import { checkLimits, checkPartnerId, type VoucherLimits } from '@hissaback/shared/domain/payout-plan';
import type { PayoutSettings } from './deps.ts';

export type PayoutConfig = {
  /** For payouts that are reserved from now on; those that exist carry their own. */
  readonly account: AgcodAccount;
  readonly currency: string;
  readonly credentials: AgcodCredentials;
  readonly limits: VoucherLimits;
  /** What a shopper may be paid in a financial year without KYC, in paise; null for no limit. */
  readonly kycYearlyLimit: Paise | null;
  readonly creators: CreatorConfig | null;
  readonly notifications: NotificationConfig | null;
  readonly voucherKeys: Keyring;
  /** Paise. */
  readonly fundsAlertBelow: Paise;
  /** Milliseconds. */
  readonly runMs: number;
  /** Milliseconds that everything waits after trouble with the partner account. */
  readonly holdForMs: number;
};

export type CreatorConfig = {
  readonly limits: VoucherLimits;
  /** What the owner of tenants may be paid for them in a financial year without KYC, in paise; null for no limit. */
  readonly kycYearlyLimit: Paise | null;
  /** The day of the month (1 to 28, India's) from whose begin on creators are paid; or every day. */
  readonly day: Exclude<PayoutDay, 'never'>;
};

export type NotificationConfig = {
  /** When messages may go out, in India. */
  readonly hours: Hours;
};

/** A setting with which no payout may be started. The message names it, never a secret's value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads and checks the settings of a payout run.
 * @throws ConfigError
 */
export function payoutConfig(settings: PayoutSettings): PayoutConfig {
  const limits: VoucherLimits = {
    minimum: amount(settings, 'PAYOUT_MINIMUM'),
    cardMinimum: amount(settings, 'VOUCHER_MINIMUM'),
    cardMaximum: amount(settings, 'VOUCHER_MAXIMUM'),
    step: amount(settings, 'VOUCHER_STEP'),
  };
  const creatorLimits = { ...limits, minimum: amount(settings, 'CREATOR_PAYOUT_MINIMUM') };
  check('VOUCHER_STEP, VOUCHER_MINIMUM, VOUCHER_MAXIMUM, CREATOR_PAYOUT_MINIMUM', () => checkLimits(creatorLimits));
  const day = check('CREATOR_PAYOUT_DAY', () => parsePayoutDay(settings.CREATOR_PAYOUT_DAY));
  check('VOUCHER_STEP, VOUCHER_MINIMUM, VOUCHER_MAXIMUM, PAYOUT_MINIMUM', () => checkLimits(limits));
  check('AGCOD_PARTNER_ID', () => checkPartnerId(settings.AGCOD_PARTNER_ID));
  const endpoint = check('AGCOD_ENDPOINT', () => new URL(settings.AGCOD_ENDPOINT).origin);
  if (!/^[A-Z]{3}$/.test(settings.AGCOD_CURRENCY)) throw new ConfigError('AGCOD_CURRENCY is no currency code');
  return {
    account: { endpoint, region: required(settings, 'AGCOD_REGION'), partnerId: settings.AGCOD_PARTNER_ID },
    currency: settings.AGCOD_CURRENCY,
    credentials: {
      accessKeyId: required(settings, 'AGCOD_ACCESS_KEY_ID'),
      secretAccessKey: required(settings, 'AGCOD_SECRET_ACCESS_KEY'),
    },
    limits,
    kycYearlyLimit: optionalAmount(settings, 'KYC_YEARLY_LIMIT'),
    creators:
      day === 'never'
        ? null
        : { limits: creatorLimits, kycYearlyLimit: optionalAmount(settings, 'CREATOR_KYC_YEARLY_LIMIT'), day },
    notifications: notificationConfig(settings),
    voucherKeys: check('VOUCHER_KEYS', () => keyringFrom(settings.VOUCHER_KEYS, 'VOUCHER_KEYS')),
    fundsAlertBelow: amount(settings, 'FUNDS_ALERT_BELOW'),
    runMs: seconds(settings, 'PAYOUT_RUN_SECONDS') * 1_000,
    holdForMs: seconds(settings, 'AGCOD_PROBE_SECONDS') * 1_000,
  };
}

function notificationConfig(settings: PayoutSettings): NotificationConfig | null {
  if (settings.NOTIFICATIONS === 'off') return null;
  if (settings.NOTIFICATIONS !== 'on') throw new ConfigError('NOTIFICATIONS must be on or off');
  return { hours: check('NOTIFICATION_HOURS', () => parseHours(settings.NOTIFICATION_HOURS)) };
}

function required(settings: PayoutSettings, name: keyof PayoutSettings): string {
  const value = settings[name];
  if (!value) throw new ConfigError(`${name} is empty`);
  return value;
}

function amount(settings: PayoutSettings, name: keyof PayoutSettings): Paise {
  return check(name, () => parsePaise(required(settings, name)));
}

/** Null where the setting is empty. */
function optionalAmount(settings: PayoutSettings, name: keyof PayoutSettings): Paise | null {
  return settings[name] === '' ? null : amount(settings, name);
}

function seconds(settings: PayoutSettings, name: keyof PayoutSettings): number {
  const value = required(settings, name);
  if (!/^[1-9]\d{0,3}$/.test(value)) throw new ConfigError(`${name} must be 1 to 9999 seconds`);
  return Number(value);
}

function check<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${name}: ${error instanceof Error ? error.message : 'unusable'}`);
  }
}
