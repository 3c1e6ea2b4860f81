import type { Random } from './chance.ts';
import { lesser, type Paise } from './money.ts';

const BASE36 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const RANDOM_CHARACTERS = 25;
const CREATION_REQUEST_ID_MAX = 40;
/** Bytes from here on would favour the first characters of the alphabet. */
const UNBIASED = 256 - (256 % BASE36.length);

/** What a card may be worth; all in paise (money rule 13). */
export type VoucherLimits = {
  /** A payee is paid once this much is available. */
  readonly minimum: Paise;
  readonly cardMinimum: Paise;
  readonly cardMaximum: Paise;
  readonly step: Paise;
};

/**
 * Checks that the limits can be met together.
 * @throws RangeError naming the first that cannot.
 */
export function checkLimits(limits: VoucherLimits): void {
  const { minimum, cardMinimum, cardMaximum, step } = limits;
  if (step <= 0n) throw new RangeError('the voucher step must be positive');
  if (cardMinimum <= 0n) throw new RangeError('the smallest card must be worth something');
  if (minimum <= 0n) throw new RangeError('the payout minimum must be positive');
  if (floorTo(cardMaximum, step) < 2n * ceilTo(cardMinimum, step))
    throw new RangeError('the largest card must be worth at least two of the smallest');
}

/**
 * Cuts a balance into cards: whole multiples of the step, none above the maximum, none below the card minimum; where the last would be too small,
 * the last two are rebalanced (money rule 13). What is left over stays in the balance.
 * @param available paise
 * @returns the amount of each card in paise; none while the balance is below the payout minimum
 */
export function sliceVouchers(available: Paise, limits: VoucherLimits): Paise[] {
  checkLimits(limits);
  const smallest = ceilTo(limits.cardMinimum, limits.step);
  const largest = floorTo(limits.cardMaximum, limits.step);
  const payable = floorTo(available, limits.step);
  if (available < limits.minimum || payable < smallest) return [];
  const slices: Paise[] = Array(Number(payable / largest)).fill(largest);
  const rest = payable % largest;
  if (rest === 0n) return slices;
  if (rest >= smallest || slices.length === 0) return [...slices, rest];
  slices[slices.length - 1] = largest - (smallest - rest);
  return [...slices, smallest];
}

/** A ledger row of the payee, one side of it, that has been released. Amounts in paise. */
export type LedgerShare = {
  readonly ledId: bigint;
  readonly convId: bigint;
  /** Signed: an amendment may take away. */
  readonly amount: Paise;
  /** What live items pay or settle of it already. */
  readonly covered: Paise;
};

export type PayoutItem = { readonly payoutId: string; readonly ledId: bigint; readonly amount: Paise };

/**
 * Says which rewards each payout pays, oldest first (money rule 12). A conversion counts with the sum of its rows, so what an amendment took away is
 * not paid; a row never gets more than its own amount.
 * @param shares all released rows of each conversion, oldest conversion first
 * @throws RangeError when the rewards do not cover the payouts: balance and ledger would disagree
 */
export function allocate(
  shares: readonly LedgerShare[],
  payouts: readonly { readonly payoutId: string; readonly amount: Paise }[],
): PayoutItem[] {
  const total = payouts.reduce((sum, { amount }) => sum + amount, 0n);
  const lines = take(shares, total);
  const items: PayoutItem[] = [];
  for (const { payoutId, amount } of payouts) {
    let missing = amount;
    while (missing > 0n) {
      const line = lines[0];
      if (line === undefined) throw new RangeError(`payout ${payoutId}: the rewards do not cover it`);
      const part = lesser(line.amount, missing);
      items.push({ payoutId, ledId: line.ledId, amount: part });
      missing -= part;
      line.amount -= part;
      if (line.amount === 0n) lines.shift();
    }
  }
  return items;
}

type Line = { ledId: bigint; amount: Paise };

function take(shares: readonly LedgerShare[], total: Paise): Line[] {
  const left = new Map<bigint, Paise>();
  for (const { convId, amount, covered } of shares) left.set(convId, (left.get(convId) ?? 0n) + amount - covered);
  const lines: Line[] = [];
  let missing = total;
  for (const { ledId, convId, amount, covered } of shares) {
    const ofConversion = left.get(convId) ?? 0n;
    const part = lesser(amount - covered, lesser(ofConversion, missing));
    if (part <= 0n) continue;
    lines.push({ ledId, amount: part });
    left.set(convId, ofConversion - part);
    missing -= part;
  }
  return lines;
}

/**
 * Checks a partner id at start-up: with it, every creationRequestId is alphanumeric and fits AGCOD's 40 characters (money rule 15).
 * @throws RangeError
 */
export function checkPartnerId(partnerId: string): void {
  if (!/^[A-Za-z0-9]+$/.test(partnerId)) throw new RangeError('the AGCOD partner id must be alphanumeric');
  if (partnerId.length + RANDOM_CHARACTERS > CREATION_REQUEST_ID_MAX)
    throw new RangeError(
      `the AGCOD partner id may have at most ${CREATION_REQUEST_ID_MAX - RANDOM_CHARACTERS} characters`,
    );
}

/** The id of one gift for ever: the partner id and 25 random base-36 characters (money rule 15). */
export function mintCreationRequestId(partnerId: string, random: Random): string {
  checkPartnerId(partnerId);
  let characters = '';
  while (characters.length < RANDOM_CHARACTERS) {
    for (const byte of random.bytes(RANDOM_CHARACTERS)) {
      if (byte < UNBIASED && characters.length < RANDOM_CHARACTERS) characters += BASE36.charAt(byte % BASE36.length);
    }
  }
  return partnerId + characters;
}

function floorTo(amount: Paise, step: Paise): Paise {
  return amount - (amount % step);
}

function ceilTo(amount: Paise, step: Paise): Paise {
  return floorTo(amount + step - 1n, step);
}
