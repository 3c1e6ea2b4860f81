import type { IntakeSettings } from '@hissaback/shared/domain/intake';

/**
 * The worker's settings that decide about money.
 * @throws RangeError naming the setting that is no number in its range
 */
export function settingsOf(env: WebhookEnv): IntakeSettings {
  return {
    currency: env.CREDIT_CURRENCY,
    attributionWindowDays: whole(env.ATTRIBUTION_WINDOW_DAYS, 'ATTRIBUTION_WINDOW_DAYS', 365),
    fee: BigInt(whole(env.PLATFORM_FEE_BP, 'PLATFORM_FEE_BP', 10_000)),
  };
}

/** A setting that is a whole number from 0 to `most`. */
export function whole(text: string, name: string, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= most)) throw new RangeError(`${name} must be a whole number from 0 to ${most}`);
  return value;
}
