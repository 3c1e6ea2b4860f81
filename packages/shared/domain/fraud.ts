/** Thresholds of the spec's section 10, per tenant (`fraud_settings.rules`). */
export type FraudRules = {
  selfPurchase: { enabled: boolean };
  /** `limit` conversions of one shopper within `windowHours`, this one included, go to review. */
  velocity: { enabled: boolean; limit: number; windowHours: number };
  duplicateOrder: { enabled: boolean; windowDays: number };
  geography: { enabled: boolean; points: number };
  /** From this score on a person looks. */
  reviewScore: number;
};

/** The spec's own values; version 0 of every tenant. */
export const DEFAULT_FRAUD_RULES: FraudRules = {
  selfPurchase: { enabled: true },
  velocity: { enabled: true, limit: 5, windowHours: 24 },
  duplicateOrder: { enabled: true, windowDays: 30 },
  geography: { enabled: true, points: 1 },
  reviewScore: 3,
};

/** All that the rules look at; stored with the decision, so that anybody can follow it. */
export type FraudInputs = {
  settingsVersion: number;
  /** The shopper is one of the tenant's own people, or shares an email address with one. */
  selfPurchase: boolean;
  /** Conversions of this shopper less than a window away, this one included. */
  conversionsInWindow: number;
  /** What the visitor's velocity object said before the transaction began; null without an answer. It decides nothing. */
  velocityAsked: number | null;
  /** Another conversion holds this order id within the window. */
  duplicateOrder: boolean;
  clickCountry: string | null;
  conversionCountry: string | null;
};

export type Verdict = 'clear' | 'review' | 'reject';

const SEVERITY = { clear: 0, review: 1, reject: 2 } as const satisfies Record<Verdict, number>;

/** True if the first verdict is the harder one. */
export function isStricter(verdict: Verdict, than: Verdict): boolean {
  return SEVERITY[verdict] > SEVERITY[than];
}

export type FraudDecision = {
  verdict: Verdict;
  score: number;
  /** The rules that spoke, in the order of the spec. */
  rules: string[];
};

/** Decides by the spec's section 10: self-purchase and duplicate orders are refused, velocity and a high score are reviewed. */
export function judge(inputs: FraudInputs, rules: FraudRules): FraudDecision {
  const spoke: string[] = [];
  let verdict: Verdict = 'clear';
  let score = 0;
  if (rules.selfPurchase.enabled && inputs.selfPurchase) {
    spoke.push('self_purchase');
    verdict = 'reject';
  }
  if (rules.velocity.enabled && inputs.conversionsInWindow >= rules.velocity.limit) {
    spoke.push('velocity');
    if (verdict === 'clear') verdict = 'review';
  }
  if (rules.duplicateOrder.enabled && inputs.duplicateOrder) {
    spoke.push('duplicate_order');
    verdict = 'reject';
  }
  const { clickCountry, conversionCountry } = inputs;
  if (
    rules.geography.enabled &&
    clickCountry !== null &&
    conversionCountry !== null &&
    clickCountry !== conversionCountry
  ) {
    spoke.push('country_mismatch');
    score += rules.geography.points;
  }
  if (score >= rules.reviewScore && verdict === 'clear') verdict = 'review';
  return { verdict, score, rules: spoke };
}

/** The rules in `stored`, every missing or malformed one at the spec's value. */
export function readFraudRules(stored: unknown): FraudRules {
  const given = isRecord(stored) ? stored : {};
  const d = DEFAULT_FRAUD_RULES;
  const part = (name: string): Record<string, unknown> => (isRecord(given[name]) ? given[name] : {});
  const flag = (value: unknown, fallback: boolean): boolean => (typeof value === 'boolean' ? value : fallback);
  const count = (value: unknown, fallback: number): number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : fallback;
  const velocity = part('velocity');
  const duplicate = part('duplicateOrder');
  const geography = part('geography');
  return {
    selfPurchase: { enabled: flag(part('selfPurchase').enabled, d.selfPurchase.enabled) },
    velocity: {
      enabled: flag(velocity.enabled, d.velocity.enabled),
      limit: count(velocity.limit, d.velocity.limit),
      windowHours: count(velocity.windowHours, d.velocity.windowHours),
    },
    duplicateOrder: {
      enabled: flag(duplicate.enabled, d.duplicateOrder.enabled),
      windowDays: count(duplicate.windowDays, d.duplicateOrder.windowDays),
    },
    geography: {
      enabled: flag(geography.enabled, d.geography.enabled),
      points: count(geography.points, d.geography.points),
    },
    reviewScore: count(given.reviewScore, d.reviewScore),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
