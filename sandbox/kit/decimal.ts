/** Hundredths (paise, cents) of a decimal text with at most two decimals; `undefined` for anything else. */
export function toMinor(text: string): bigint | undefined {
  const parts = /^(-?)(\d{1,15})(?:\.(\d{1,2}))?$/.exec(text);
  if (parts === null) return undefined;
  const minor = BigInt(parts[2] ?? '0') * 100n + BigInt((parts[3] ?? '').padEnd(2, '0'));
  return parts[1] === '-' ? -minor : minor;
}

/** Decimal text with two decimals of an amount in hundredths. */
export function fromMinor(minor: bigint): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(3, '0');
  return `${minor < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** The JSON number that these services put on the wire for an amount in hundredths. */
export function wireNumber(minor: bigint): number {
  return Number(fromMinor(minor));
}
