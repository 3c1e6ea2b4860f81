/** What a payee may be paid in, and how; paise (money rule 13). */
export type CardRules = {
  readonly minimum: bigint;
  readonly cardMinimum: bigint;
  readonly cardMaximum: bigint;
  readonly step: bigint;
};

/**
 * The cards for a balance, largest first: whole steps, none above the maximum, none below the card minimum, the remainder stays. The rules of
 * a simulation keep minimum and maximum whole multiples of the step.
 */
export function cardsFor(available: bigint, rules: CardRules): bigint[] {
  if (available < rules.minimum) return [];
  let left = available - (available % rules.step);
  const cards: bigint[] = [];
  while (left > rules.cardMaximum) {
    // The last two are balanced where the rest would be too small for a card.
    const isRestTooSmall = left - rules.cardMaximum < rules.cardMinimum;
    const card = isRestTooSmall ? left - rules.cardMinimum : rules.cardMaximum;
    cards.push(card);
    left -= card;
  }
  if (left >= rules.cardMinimum) cards.push(left);
  return cards.sort((a, b) => (a < b ? 1 : -1));
}
