import { keyedHash, matchesKeyedHash } from './keyed-hash.ts';
import type { Keyring } from './keyring.ts';

const PURPOSE = 'pan';
/** Five letters, the fourth saying what kind of holder it is; four digits; a check letter. */
const PAN = /^[A-Z]{3}[ABCFGHJKLPT][A-Z]\d{4}[A-Z]$/;
/** India's time is UTC+05:30 all year round, in milliseconds. */
const IST_MS = 19_800_000;
const APRIL = 3;

/** A PAN in its one spelling (capitals, no spaces or dashes), or null if it is none. */
export function normalizePan(text: string): string | null {
  const pan = text.replace(/[\s-]/g, '').toUpperCase();
  return PAN.test(pan) ? pan : null;
}

/** What is kept of a PAN: a keyed hash. @param pan as `normalizePan` gives it */
export function hashPan(ring: Keyring, pan: string): Promise<string> {
  return keyedHash(ring, PURPOSE, pan);
}

/** True if `hash` was made of this PAN. @param pan as `normalizePan` gives it */
export function isPanOf(ring: Keyring, pan: string, hash: string): Promise<boolean> {
  return matchesKeyedHash(ring, PURPOSE, pan, hash);
}

/** When India's financial year around `now` began (1 April, midnight in IST); both in milliseconds since the Unix epoch. */
export function financialYearStart(now: number): number {
  const local = new Date(now + IST_MS);
  const year = local.getUTCMonth() < APRIL ? local.getUTCFullYear() - 1 : local.getUTCFullYear();
  return Date.UTC(year, APRIL, 1) - IST_MS;
}
