import { type FraudFacts, type OrderHolder, type OrderKey, orderKeyText } from '@hissaback/shared/db/queries/intake';
import type {
  Birth,
  IntakeRows,
  PostbackRow,
  RecoveredClick,
  RollupChange,
} from '@hissaback/shared/db/queries/intake-write';
import type { Random } from '@hissaback/shared/domain/chance';
import { mintId } from '@hissaback/shared/domain/click-id';
import {
  type Books,
  type Conversion,
  isPending,
  type LedgerStatus,
  rewardOf,
} from '@hissaback/shared/domain/conversion';
import { type FraudInputs, type FraudRules, judge, readFraudRules } from '@hissaback/shared/domain/fraud';
import {
  applyEvent,
  birth,
  type ClickContext,
  countInWindow,
  type IntakeEvent,
  type IntakeSettings,
  matchConversion,
  type Offer,
  occurredAt,
  refusal,
  type Unmatched,
} from '@hissaback/shared/domain/intake';
import { splitCommission } from '@hissaback/shared/domain/split';

const DAY_MS = 86_400_000;
const SHARDS = 16;

/** An event with the evidence it came from. */
export type Taken = IntakeEvent & { source: string; raw: Record<string, string> };
/** A postback that cannot be a conversion. */
export type Ignored = { postbackId: bigint; source: string; raw: Record<string, string>; reason: string };

/** What a batch came to, by outcome. */
export type IntakeCounts = Record<PostbackRow['outcome'], number>;

export type IntakeContext = {
  settings: IntakeSettings;
  random: Random;
  /** Milliseconds since the Unix epoch. */
  now: number;
  /** What the velocity objects answered, by postback; evidence beside the recount that decides. */
  velocity?: ReadonlyMap<bigint, number>;
};

/** The order as the 30-day rule keys it; null where there is none. */
export function orderOf(offer: Offer | undefined, orderId: string | null): OrderKey | null {
  return offer === undefined || orderId === null ? null : { network: offer.network, merchant: offer.merchant, orderId };
}

/** One batch in the making: what the database knew, and what each event adds. No input or output happens here. */
export class IntakeBatch {
  readonly counts: IntakeCounts = { credited: 0, updated: 0, replayed: 0, refused: 0, unmatched: 0, ignored: 0 };
  readonly #context: IntakeContext;
  readonly #conversions: Conversion[];
  readonly #offers: ReadonlyMap<number, Offer>;
  readonly #publishers: ReadonlyMap<string, string>;
  readonly #facts: FraudFacts;
  readonly #books: Books = { postings: [], settled: [] };
  readonly #births: Birth[] = [];
  readonly #postbacks: PostbackRow[] = [];
  readonly #unmatched: IntakeRows['unmatched'][number][] = [];
  readonly #recovered = new Map<bigint, RecoveredClick>();
  /** Order ids whose holders may have changed, by `orderKeyText`, with the holders before it. */
  readonly #orders = new Map<string, { order: OrderKey; before: readonly OrderHolder[] }>();
  readonly #rollups: RollupChange[] = [];
  readonly #minted = new Set<bigint>();

  constructor(
    context: IntakeContext,
    conversions: readonly Conversion[],
    offers: ReadonlyMap<number, Offer>,
    publishers: ReadonlyMap<string, string>,
    facts: FraudFacts,
  ) {
    this.#context = context;
    this.#conversions = [...conversions];
    this.#offers = offers;
    this.#publishers = publishers;
    this.#facts = facts;
  }

  /** Takes the next event; `click` is null where no click and no link stand behind it. */
  take(event: Taken, click: ClickContext | null): void {
    const match = matchConversion(event.report, event.click, click, this.#conversions);
    if (match.kind === 'unmatched') {
      this.#keep(event, click, match.reason);
      return;
    }
    if (match.kind === 'existing') {
      this.#update(event, match.conversion);
      return;
    }
    if (click === null) {
      this.#keep(event, click, 'unknown_click');
      return;
    }
    const offer = this.#offers.get(event.report.offerId);
    const reason = refusal(event, click, offer, this.#context.settings, this.#publishers);
    if (reason !== null || offer === undefined) {
      this.#keep(event, click, reason ?? 'unknown_offer');
      return;
    }
    this.#bear(event, click, offer);
  }

  /** Keeps a postback that cannot be a conversion, for operators. */
  ignore(event: Ignored): void {
    this.#record(event, 'ignored', event.reason, null);
    this.#unmatched.push({ ...event, tenantId: null, clickId: null });
  }

  /** All that is to be written, and money that moves under the payees' locks. */
  result(): { rows: IntakeRows; books: Books } {
    const [shard = 0] = this.#context.random.bytes(1);
    const rows: IntakeRows = {
      ...this.#ordersChanged(),
      births: this.#births,
      changed: this.#conversions.filter(
        (c) => !c.isNew && (c.isChanged || c.ledger.some((row) => row.isNew || row.isChanged)),
      ),
      postings: this.#books.postings,
      postbacks: this.#postbacks,
      unmatched: this.#unmatched,
      recovered: [...this.#recovered.values()],
      rollups: this.#rollups,
      shard: shard % SHARDS,
      at: this.#context.now,
    };
    return { rows, books: this.#books };
  }

  #bear(event: Taken, click: ClickContext, offer: Offer): void {
    const at = occurredAt(event);
    const shopper = click.userId ?? click.visitorId;
    const { version, rules } = this.#rulesOf(click.tenantId);
    const times = shopper === null ? [] : (this.#facts.times.get(shopper) ?? []);
    const order = orderOf(offer, event.report.txnId);
    const inputs: FraudInputs = {
      settingsVersion: version,
      selfPurchase: click.userId !== null && this.#facts.ownPeople.has(`${click.tenantId} ${click.userId}`),
      conversionsInWindow: countInWindow(times, at, rules.velocity.windowHours),
      velocityAsked: this.#context.velocity?.get(event.postbackId) ?? null,
      duplicateOrder: order !== null && this.#isHeld(order, null, at, rules),
      clickCountry: click.country,
      conversionCountry: event.report.country,
    };
    const decision = judge(inputs, rules);
    const ids = { convId: this.#mint(), ledId: this.#mint() };
    const conversion = birth(this.#books, event, click, offer, this.#context.settings, ids, decision);
    this.#conversions.push(conversion);
    this.#births.push({
      conversion,
      campaignId: click.campaignId,
      country: event.report.country,
      clickCountry: click.country,
      coolOffDays: offer.coolOffDays,
      receivedAt: event.receivedAt,
      decision,
      inputs,
    });
    if (shopper !== null) this.#facts.times.set(shopper, [...times, at]);
    // Of two clicks with one id the first has the row, whether they come in one batch or in two (money rule 7).
    if (!click.isStored && event.click?.kind === 'reference' && !this.#recovered.has(click.clickId))
      this.#recovered.set(click.clickId, click);
    const { status } = rewardOf(conversion);
    if (isPending(status) && order !== null) this.#hold(order, conversion);
    this.#rollups.push({ tenantId: click.tenantId, linkId: click.linkId, at, conversions: 1 });
    this.#countMoney(conversion, null);
    this.#record(event, status === 'rejected' ? 'refused' : 'credited', decision.rules.join(',') || null, conversion);
  }

  #update(event: Taken, conversion: Conversion): void {
    const offer = this.#offers.get(conversion.offerId);
    if (offer === undefined) {
      this.#keep(event, null, 'unknown_offer');
      return;
    }
    if (event.report.currency !== null && event.report.currency !== conversion.currency) {
      this.#keep(event, null, 'foreign_currency');
      return;
    }
    const publisher = event.report.publisherId === null ? undefined : this.#publishers.get(event.report.publisherId);
    if (publisher !== undefined && publisher !== conversion.tenantId) {
      this.#keep(event, null, 'foreign_publisher');
      return;
    }
    const before = moneyOf(conversion);
    const { rules } = this.#rulesOf(conversion.tenantId);
    const order = orderOf(offer, conversion.txnId ?? event.report.txnId);
    const isTaken =
      order !== null &&
      rules.duplicateOrder.enabled &&
      this.#isHeld(order, conversion.convId, conversion.occurredAt, rules);
    const changed = applyEvent(
      this.#books,
      event,
      conversion,
      offer,
      this.#context.settings,
      () => this.#mint(),
      isTaken,
    );
    const { status } = rewardOf(conversion);
    if (status === 'rejected' || status === 'reversed') this.#free(order, conversion);
    else if (order !== null) this.#hold(order, conversion);
    if (changed) this.#countMoney(conversion, before);
    this.#record(event, changed ? 'updated' : 'replayed', null, conversion);
  }

  /** True if another conversion holds this order id within the window, by the network's times (money rule 2). */
  #isHeld(order: OrderKey, convId: bigint | null, at: number, rules: FraudRules): boolean {
    const window = rules.duplicateOrder.windowDays * DAY_MS;
    const holders = this.#facts.orders.get(orderKeyText(order)) ?? [];
    return holders.some((holder) => holder.convId !== convId && Math.abs(at - holder.firstSeen) < window);
  }

  /** A conversion that counts holds its order id; of several, each a window away, the youngest is the current one, whichever arrived first. */
  #hold(order: OrderKey, { convId, tenantId, occurredAt: firstSeen }: Conversion): void {
    const holders = this.#holdersOf(order);
    if (holders.some((holder) => holder.convId === convId)) return;
    const current = holders.find((holder) => holder.isCurrent);
    const isCurrent = current === undefined || current.firstSeen <= firstSeen;
    const others = isCurrent ? holders.map((holder) => ({ ...holder, isCurrent: false })) : holders;
    this.#facts.orders.set(orderKeyText(order), [...others, { convId, tenantId, firstSeen, isCurrent }]);
  }

  #free(order: OrderKey | null, { convId }: Conversion): void {
    if (order === null) return;
    const holders = this.#holdersOf(order);
    this.#facts.orders.set(
      orderKeyText(order),
      holders.filter((holder) => holder.convId !== convId),
    );
  }

  /** The holders of an order id, about to change. */
  #holdersOf(order: OrderKey): readonly OrderHolder[] {
    const key = orderKeyText(order);
    const holders = this.#facts.orders.get(key) ?? [];
    if (!this.#orders.has(key)) this.#orders.set(key, { order, before: holders });
    return holders;
  }

  /** How the holders of order ids differ from what the database knew. */
  #ordersChanged(): Pick<IntakeRows, 'ordersTaken' | 'ordersPast' | 'ordersFreed' | 'ordersPastFreed'> {
    const ordersTaken: IntakeRows['ordersTaken'][number][] = [];
    const ordersPast: IntakeRows['ordersPast'][number][] = [];
    const ordersFreed: bigint[] = [];
    const ordersPastFreed: bigint[] = [];
    for (const [key, { order, before }] of this.#orders) {
      const after = this.#facts.orders.get(key) ?? [];
      const was = before.find((holder) => holder.isCurrent);
      const is = after.find((holder) => holder.isCurrent);
      if (is !== undefined && is.convId !== was?.convId)
        ordersTaken.push({ ...order, ...is, replaces: was?.convId ?? null });
      else if (is === undefined && was !== undefined) ordersFreed.push(was.convId);
      const isPast = (holders: readonly OrderHolder[], convId: bigint): boolean =>
        holders.some((holder) => holder.convId === convId && !holder.isCurrent);
      for (const holder of after)
        if (!holder.isCurrent && !isPast(before, holder.convId)) ordersPast.push({ ...order, ...holder });
      for (const holder of before)
        if (!holder.isCurrent && !isPast(after, holder.convId)) ordersPastFreed.push(holder.convId);
    }
    return { ordersTaken, ordersPast, ordersFreed, ordersPastFreed };
  }

  #rulesOf(tenantId: string): { version: number; rules: FraudRules } {
    const stored = this.#facts.rules.get(tenantId);
    return { version: stored?.version ?? 0, rules: readFraudRules(stored?.rules) };
  }

  /** The difference that an event made to what is live in the daily figures. */
  #countMoney(conversion: Conversion, before: Money | null): void {
    const now = moneyOf(conversion);
    const was = before ?? { orderValue: 0n, net: 0n, user: 0n, creator: 0n };
    this.#rollups.push({
      tenantId: conversion.tenantId,
      linkId: conversion.linkId,
      at: conversion.occurredAt,
      orderValue: now.orderValue - was.orderValue,
      net: now.net - was.net,
      user: now.user - was.user,
      creator: now.creator - was.creator,
    });
  }

  #keep(event: Taken, click: ClickContext | null, reason: Unmatched): void {
    this.#record(event, 'unmatched', reason, null);
    this.#unmatched.push({
      ...event,
      tenantId: click?.tenantId ?? null,
      clickId: event.click?.clickId ?? null,
      reason,
    });
  }

  #record(
    event: Taken | Ignored,
    outcome: PostbackRow['outcome'],
    detail: string | null,
    conversion: Conversion | null,
  ): void {
    this.counts[outcome] += 1;
    this.#postbacks.push({
      postbackId: event.postbackId,
      source: event.source,
      raw: event.raw,
      outcome,
      detail,
      conversion,
    });
  }

  /** Ids of one batch share a millisecond: a collision among them is seen here, not at the primary key. */
  #mint(): bigint {
    for (;;) {
      const id = mintId({ now: () => this.#context.now }, this.#context.random);
      if (this.#minted.has(id)) continue;
      this.#minted.add(id);
      return id;
    }
  }
}

type Money = { orderValue: bigint; net: bigint; user: bigint; creator: bigint };

const LIVE: readonly LedgerStatus[] = ['pending', 'review', 'confirmed', 'paid'];

/** What a conversion adds to the daily figures: nothing once it is refused or reversed. Paise. */
function moneyOf(conversion: Conversion): Money {
  if (!LIVE.includes(rewardOf(conversion).status)) return { orderValue: 0n, net: 0n, user: 0n, creator: 0n };
  const { user, creator } = splitCommission(conversion.net, conversion.share);
  return { orderValue: conversion.orderValue ?? 0n, net: conversion.net, user, creator };
}
