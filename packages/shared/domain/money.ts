/** Paise: the hundredth of the currency's unit, always an integer. */
export type Paise = bigint;
/** Hundredths of a percent: 10,000 is the whole. */
export type BasisPoints = bigint;

const AMOUNT = /^(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,6}))?$/;
const SIGNED = /^-?(?:0|[1-9][0-9]{0,13})(?:\.[0-9]{1,2})?$/;
const PERCENT = /^(0|[1-9][0-9]{0,2})(?:\.([0-9]{1,2}))?$/;

/** The whole of a percentage in basis points. */
export const WHOLE: BasisPoints = 10_000n;

/**
 * Reads an amount as a network writes it: plain decimal digits, no sign, exponent, separator or space. Up to six
 * decimals are taken and everything below a paisa is cut off, because nobody pays fractions of one.
 * @returns paise, or null for anything else.
 */
export function parseNetworkAmount(text: string): Paise | null {
  const match = AMOUNT.exec(text);
  if (!match?.[1]) return null;
  return BigInt(match[1]) * 100n + BigInt((match[2] ?? '').padEnd(2, '0').slice(0, 2));
}

/**
 * Reads a NUMERIC(14,2) or one of our own decimal strings, sign included.
 * @throws RangeError when the text is no such amount: these come from our own database and settings.
 */
export function parsePaise(text: string): Paise {
  if (!SIGNED.test(text)) throw new RangeError('not an amount with at most two decimals');
  const negative = text.startsWith('-');
  const [units = '0', decimals = ''] = (negative ? text.slice(1) : text).split('.');
  const value = BigInt(units) * 100n + BigInt(decimals.padEnd(2, '0'));
  return negative ? -value : value;
}

/** Two decimals, always: `-1234.50`. */
export function formatPaise(amount: Paise): string {
  const absolute = amount < 0n ? -amount : amount;
  return `${amount < 0n ? '-' : ''}${absolute / 100n}.${(absolute % 100n).toString().padStart(2, '0')}`;
}

/**
 * Reads a percentage of 0 to 100 with at most two decimals.
 * @throws RangeError outside that.
 */
export function parseBasisPoints(text: string): BasisPoints {
  const match = PERCENT.exec(text);
  if (!match?.[1]) throw new RangeError('not a percentage with at most two decimals');
  const value = BigInt(match[1]) * 100n + BigInt((match[2] ?? '').padEnd(2, '0'));
  if (value > WHOLE) throw new RangeError('a percentage is at most 100');
  return value;
}

/** `50.00` for 5,000 basis points. */
export function formatBasisPoints(points: BasisPoints): string {
  return formatPaise(points);
}

/** A share of an amount, cut off below the paisa. Both must not be negative. */
export function shareOf(amount: Paise, points: BasisPoints): Paise {
  return (amount * points) / WHOLE;
}

/** The smaller of two amounts; `Math.min` knows no bigint. */
export function lesser(a: Paise, b: Paise): Paise {
  return a <= b ? a : b;
}
