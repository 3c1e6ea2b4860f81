import type { Tenant, World } from '../world.ts';
import { Books } from './books.ts';
import {
  type Conversion,
  clickKey,
  type Heir,
  inherited,
  isAlive,
  isLost,
  isReleased,
  isWaiting,
  parts,
  payeeOf,
  rank,
  type State,
  type Verdict,
  worth,
} from './conversion.ts';
import { type ClickName, type Ignored, type Said, type Status, timeOf } from './said.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const VELOCITY_HOURS = 24;
const REVIEW_SCORE = 3;
/** A poll older than this stops every release. */
const STALE_MS = 2 * DAY_MS;

export type Settings = {
  readonly feePoints: bigint;
  readonly attributionDays: number;
  readonly releaseNeedsPoll: boolean;
  /** How long a reward waits for its shopper, and who has it then. */
  readonly unclaimedDays: number;
  readonly unclaimedTo: Heir;
};
/** What the model expects of a postback. */
export type Expected = {
  outcome: 'credited' | 'refused' | 'updated' | 'replayed' | 'unmatched' | 'ignored';
  reason: string | null;
  conversion: Conversion | null;
};
/** A poll that has ended: when it began, and what each sale was on its pages. */
export type Poll = { readonly startedAt: number; readonly statuses: ReadonlyMap<string, readonly Status[]> };
type StoredClick = ClickName & { country: string | null };

/**
 * An independent model of the money rules, event by event in the order in which the database committed them. It shares no code with the
 * workers: what it expects and what the database holds are compared.
 */
export class Oracle {
  readonly conversions: Conversion[] = [];
  readonly books: Books;
  /** Clicks that the database has, by id. */
  readonly clicks = new Map<bigint, StoredClick>();
  /** What became of each postback. */
  readonly postbacks = new Map<bigint, Expected>();
  /** Why sales that the network lists could not be matched when they were last told of, by the network's id. */
  readonly unmatchedSales = new Map<string, string>();
  /** The polls that have ended, oldest first. */
  polls: readonly Poll[] = [];
  readonly #world: World;
  readonly #settings: Settings;
  readonly #now: () => number;
  readonly #byClick = new Map<string, Conversion[]>();

  constructor(world: World, settings: Settings, now: () => number) {
    this.#world = world;
    this.#settings = settings;
    this.#now = now;
    this.books = new Books(this.conversions);
  }

  /** A click's own message was stored; the same again changes nothing. */
  storeClick(click: StoredClick): void {
    let id = click.clickId;
    for (let known = this.clicks.get(id); known !== undefined; known = this.clicks.get(id)) {
      if (known.linkId === click.linkId && known.visitorId === click.visitorId) {
        known.country ??= click.country;
        return;
      }
      id += 1n;
    }
    this.clicks.set(id, { ...click });
  }

  /** Conversions that were judged before their click was there, which it is by now: the country of each click. */
  overtaken(): Map<Conversion, string> {
    const found = new Map<Conversion, string>();
    for (const c of this.conversions) {
      const click = this.clicks.get(c.click.clickId);
      const isSame = click?.linkId === c.click.linkId && click.visitorId === c.click.visitorId;
      if (c.clickCountry === null && isSame && click.country !== null) found.set(c, click.country);
    }
    return found;
  }

  /** The geographic rule is asked again now that the click's country is known; what was clear may have to wait for a person. */
  judgeAgain(c: Conversion, country: string): void {
    c.clickCountry = country;
    if (c.verdict !== 'clear' || c.country === null || c.country === country) return;
    if (c.link.tenant.rules.geographyPoints < REVIEW_SCORE) return;
    c.verdict = 'review';
    c.story.push(`its click came from ${country}: review`);
    if (c.state === 'pending') c.state = 'review';
  }

  /** Takes what a message said, as the consumer must have. */
  take(said: Said | Ignored): Expected {
    const expected: Expected =
      'ignored' in said ? { outcome: 'ignored', reason: null, conversion: null } : this.#takeSaid(said);
    this.postbacks.set(said.postbackId, expected);
    if (expected.outcome === 'unmatched' && 'networkId' in said && said.networkId !== null)
      this.unmatchedSales.set(said.networkId, expected.reason ?? '');
    if (!('ignored' in said)) expected.conversion?.story.push(`${expected.outcome}: ${tell(said)}`);
    return expected;
  }

  #takeSaid(said: Said): Expected {
    const unmatched = (reason: string): Expected => ({ outcome: 'unmatched', reason, conversion: null });
    const click = this.#clickOf(said);
    const found = this.#find(said, click);
    if (found === 'ambiguous') return unmatched('ambiguous');
    const link = click === null ? undefined : this.#world.links.get(click.linkId);
    const publisher = this.#world.tenants.find(({ pid }) => pid === said.publisherId);
    if (found !== null) {
      if (said.currency !== null && said.currency !== 'INR') return unmatched('foreign_currency');
      if (publisher !== undefined && publisher !== found.link.tenant) return unmatched('foreign_publisher');
      const isChanged = this.#update(said, found);
      return { outcome: isChanged ? 'updated' : 'replayed', reason: null, conversion: found };
    }
    if (said.click === null) return unmatched('missing_click');
    if (click === null || link === undefined) return unmatched('unknown_click');
    const offer = this.#world.offers.get(said.offerId);
    if (offer === undefined) return unmatched('unknown_offer');
    if (link.offerId !== said.offerId) return unmatched('foreign_offer');
    if (publisher !== undefined && publisher !== link.tenant) return unmatched('foreign_publisher');
    if ((said.currency ?? offer.currency) !== 'INR') return unmatched('foreign_currency');
    const occurredAt = said.occurredAt ?? said.receivedAt;
    if (occurredAt - timeOf(click.clickId) > this.#settings.attributionDays * DAY_MS) return unmatched('click_too_old');
    const value = worth(said, offer, this.#settings.feePoints);
    if (value === null) return unmatched('no_amount');
    const userId = click.visitorId === null ? null : (this.#world.visitors.get(click.visitorId) ?? null);
    const stored = this.clicks.get(click.clickId);
    const clickCountry = stored?.linkId === link.id ? stored.country : null;
    const verdict = this.#judge({
      tenant: link.tenant,
      userId,
      visitorId: click.visitorId,
      at: occurredAt,
      clickCountry,
      country: said.country,
      isDuplicate: said.orderId !== null && this.#isTaken(said.orderId, offer.merchant, occurredAt, link.tenant, null),
    });
    const state: State = isLost(said.status)
      ? 'reversed'
      : verdict === 'clear'
        ? 'pending'
        : verdict === 'review'
          ? 'review'
          : 'rejected';
    const conversion: Conversion = {
      convId: 0n,
      click,
      link,
      offer,
      occurredAt,
      releaseAt: occurredAt + offer.coolOffDays * DAY_MS,
      clickCountry,
      country: said.country,
      userId,
      goal: said.goal,
      orderId: said.orderId,
      networkId: said.networkId,
      status: said.status,
      amount: said.amount,
      expiredTo: null,
      ...value,
      lowest: parts({ net: value.net, link, expiredTo: null }).user,
      state,
      pendingSince: this.#now(),
      namedSince: this.#now(),
      verdict,
      changedAt: said.receivedAt,
      cover: [],
      story: [],
    };
    this.conversions.push(conversion);
    this.#byClick.set(clickKey(click), [...(this.#byClick.get(clickKey(click)) ?? []), conversion]);
    if (!this.clicks.has(click.clickId)) this.clicks.set(click.clickId, { ...click, country: null });
    return { outcome: state === 'rejected' ? 'refused' : 'credited', reason: null, conversion };
  }

  /** The click that a report names: by its reference, or the one that the database has under the bare id. */
  #clickOf(said: Said): ClickName | null {
    if (said.click === null) return null;
    if (said.click.kind === 'reference') return said.click.name;
    const stored = this.clicks.get(said.click.id);
    return stored === undefined
      ? null
      : { clickId: stored.clickId, linkId: stored.linkId, visitorId: stored.visitorId };
  }

  /** Money rule 1: by the network's id, by click, offer, goal and order id, else the single one that has no ids yet. */
  #find(said: Said, click: ClickName | null): Conversion | null | 'ambiguous' {
    const agrees = (a: string | null, b: string | null): boolean => a === null || b === null || a === b;
    const mates = click === null ? [] : (this.#byClick.get(clickKey(click)) ?? []);
    const ofClick = mates.filter((c) => c.offer.id === said.offerId && agrees(c.goal, said.goal));
    const named = new Set<Conversion>();
    for (const c of this.conversions) if (said.networkId !== null && c.networkId === said.networkId) named.add(c);
    for (const c of ofClick) if (said.orderId !== null && c.orderId === said.orderId) named.add(c);
    if (named.size > 1) return 'ambiguous';
    for (const c of named) {
      const fits =
        agrees(c.networkId, said.networkId) &&
        (agrees(c.orderId, said.orderId) || isLost(said.status)) &&
        c.offer.id === said.offerId &&
        (said.click === null || (click !== null && clickKey(c.click) === clickKey(click)));
      return fits ? c : 'ambiguous';
    }
    const bringsIds = said.networkId !== null || said.orderId !== null;
    const candidates = bringsIds ? ofClick.filter((c) => c.networkId === null && c.orderId === null) : ofClick;
    if (candidates.length > 1) return 'ambiguous';
    return candidates[0] ?? null;
  }

  /** Money rule 4. True when anything changed. */
  #update(said: Said, c: Conversion): boolean {
    const before = snapshot(c);
    const learnsOrder = c.orderId === null && said.orderId !== null;
    c.orderId ??= said.orderId;
    if (c.networkId === null && said.networkId !== null) {
      c.networkId = said.networkId;
      c.namedSince = this.#now();
    }
    c.goal ??= said.goal;
    const mayRaise = said.source !== 'postback' && said.receivedAt >= c.changedAt;
    const isTaken = this.isOrderTaken(c);
    if (!isLost(said.status)) {
      const full = worth(said, c.offer, this.#settings.feePoints);
      const value = full === null ? null : inherited(c, full);
      if (value !== null && (value.net + value.fee < c.net + c.fee || mayRaise)) this.#amend(c, value);
      if (said.amount !== null && (c.amount === null || said.amount < c.amount || mayRaise)) c.amount = said.amount;
    }
    if (rank(said.status) > rank(c.status)) {
      c.status = said.status;
      if (isLost(said.status)) this.#reverse(c);
    } else if (mayRaise && isLost(c.status) && !isLost(said.status) && !isTaken) {
      c.status = said.status;
      if (c.state === 'reversed' && c.verdict !== 'reject') {
        c.state = c.verdict === 'review' ? 'review' : 'pending';
        c.pendingSince = this.#now();
      }
    }
    // The order rule is asked when an order id becomes known, not of a sale that has had its own all along (money rule 2).
    if (learnsOrder && isTaken && isWaiting(c.state)) c.state = 'rejected';
    if (snapshot(c) === before) return false;
    c.changedAt = Math.max(c.changedAt, said.receivedAt);
    return true;
  }

  #amend(c: Conversion, value: { net: bigint; fee: bigint }): void {
    const before = parts(c);
    const after = parts({ net: value.net, link: c.link, expiredTo: c.expiredTo });
    const apply = (): bigint => {
      const open = this.books.uncovered(c);
      c.net = value.net;
      c.fee = value.fee;
      if (after.user < c.lowest) c.lowest = after.user;
      return open - this.books.uncovered(c);
    };
    if (!isReleased(c.state)) {
      apply();
      return;
    }
    const tenantId = c.link.tenant.id;
    const creator = after.creator - before.creator;
    const user = after.user - before.user;
    if (creator < 0n) this.books.take(tenantId, 'creator', tenantId, -creator, () => 0n);
    else this.books.give(tenantId, 'creator', tenantId, creator);
    if (user < 0n) this.books.take(tenantId, 'shopper', payeeOf(c), -user, apply);
    else {
      apply();
      this.books.give(tenantId, 'shopper', payeeOf(c), user);
    }
  }

  #reverse(c: Conversion): void {
    const wasReleased = isReleased(c.state);
    const { user, creator } = parts(c);
    const tenantId = c.link.tenant.id;
    if (!wasReleased) {
      c.state = 'reversed';
      return;
    }
    this.books.take(tenantId, 'creator', tenantId, creator, () => 0n);
    this.books.take(tenantId, 'shopper', payeeOf(c), user, () => {
      const open = this.books.uncovered(c);
      c.state = 'reversed';
      c.cover = [];
      return open;
    });
  }

  /** Money rule 2: another sale that counts has this order id, less than the window away by the network's times. */
  #isTaken(orderId: string, merchant: string, at: number, tenant: Tenant, self: Conversion | null): boolean {
    const days = tenant.rules.orderWindowDays;
    if (days === null) return false;
    return this.conversions.some(
      (c) =>
        c !== self &&
        c.orderId === orderId &&
        c.offer.merchant === merchant &&
        isAlive(c.state) &&
        Math.abs(c.occurredAt - at) < days * DAY_MS,
    );
  }

  /** True while another sale that counts has the order id: then no word of the network revives this one. */
  isOrderTaken(c: Conversion): boolean {
    return c.orderId !== null && this.#isTaken(c.orderId, c.offer.merchant, c.occurredAt, c.link.tenant, c);
  }

  /** The spec's section 10. */
  #judge(facts: {
    tenant: Tenant;
    userId: string | null;
    visitorId: string | null;
    at: number;
    clickCountry: string | null;
    country: string | null;
    isDuplicate: boolean;
    besides?: readonly number[];
  }): Verdict {
    const { tenant, userId, visitorId, at } = facts;
    if (userId !== null && this.#isOwn(tenant, userId)) return 'reject';
    if (facts.isDuplicate) return 'reject';
    const isSame = (c: Conversion): boolean =>
      userId !== null
        ? c.userId === userId
        : visitorId !== null && c.userId === null && c.click.visitorId === visitorId;
    const times = [...this.conversions.filter(isSame).map((c) => c.occurredAt), ...(facts.besides ?? [])];
    if (fullestDay([...times, at], at) >= tenant.rules.velocityLimit) return 'review';
    const { clickCountry, country } = facts;
    const score =
      clickCountry !== null && country !== null && clickCountry !== country ? tenant.rules.geographyPoints : 0;
    return score >= REVIEW_SCORE ? 'review' : 'clear';
  }

  #isOwn(tenant: Tenant, userId: string): boolean {
    const email = (id: string): string | null =>
      this.#world.users.find((user) => user.id === id)?.email?.toLowerCase() ?? null;
    const mine = email(userId);
    return tenant.members.some((member) => member === userId || (mine !== null && email(member) === mine));
  }

  /** Money rule 8: the visitor's rewards become the shopper's, in the order of their ids, every fraud rule asked again. */
  claim(waiting: readonly Conversion[], userId: string): void {
    const besides: number[] = [];
    const verdicts = waiting.map((c) => {
      const verdict = this.#judge({
        tenant: c.link.tenant,
        userId,
        visitorId: c.click.visitorId,
        at: c.occurredAt,
        clickCountry: c.clickCountry,
        country: c.country,
        isDuplicate: false,
        besides,
      });
      besides.push(c.occurredAt);
      return verdict;
    });
    for (const [index, c] of waiting.entries()) {
      const verdict = verdicts[index] ?? 'clear';
      c.userId = userId;
      c.story.push(`claimed by ${userId}: ${verdict}`);
      // What is revived later meets the same verdict again.
      if (verdict === 'reject' || (verdict === 'review' && c.verdict === 'clear')) c.verdict = verdict;
      if (!isWaiting(c.state)) continue;
      if (verdict === 'reject') c.state = 'rejected';
      else if (verdict === 'review') c.state = 'review';
    }
  }

  /**
   * What a release may confirm now, and what it must (money rule 10): cool-off over, approved, its shopper known; where a poll is needed, one
   * that began after the cool-off, has ended, and lists it as approved.
   */
  releasable(): { may: Set<Conversion>; must: Set<Conversion> } {
    const now = this.#now();
    const due = this.conversions.filter(
      (c) => c.state === 'pending' && c.status === 'approved' && c.userId !== null && c.releaseAt <= now,
    );
    if (!this.#settings.releaseNeedsPoll) return { may: new Set(due), must: new Set(due) };
    const last = this.polls.at(-1);
    if (last === undefined || now - last.startedAt > STALE_MS) return { may: new Set(), must: new Set() };
    const may = due.filter((c) => this.polls.some((poll) => lists(poll, c)));
    // Where pages of one poll differ, either word may count; and a list is only noted for what the books know by then.
    const must = may.filter((c) => last.startedAt > Math.max(c.pendingSince, c.namedSince) && lists(last, c, true));
    return { may: new Set(may), must: new Set(must) };
  }

  /** Rewards whose shopper is unknown for too long; not those of a visitor who has logged in. */
  expirable(): Conversion[] {
    const now = this.#now();
    return this.conversions.filter(
      (c) =>
        c.state === 'pending' &&
        c.status === 'approved' &&
        c.userId === null &&
        (this.#world.visitors.get(c.click.visitorId ?? '') ?? null) === null &&
        c.releaseAt <= now &&
        c.occurredAt < now - this.#settings.unclaimedDays * DAY_MS,
    );
  }

  /** The creator's part is released; the shopper's has an heir, who keeps it through every later change. */
  expire(conversions: readonly Conversion[]): void {
    for (const c of conversions) {
      if (c.expiredTo === null) {
        c.expiredTo = this.#settings.unclaimedTo;
        Object.assign(c, inherited(c, c));
        c.lowest = 0n;
      }
      c.state = 'confirmed';
      c.story.push(`expired to ${c.expiredTo}`);
      const tenantId = c.link.tenant.id;
      this.books.give(tenantId, 'creator', tenantId, parts(c).creator);
    }
  }

  release(conversions: readonly Conversion[]): void {
    for (const c of conversions) {
      const { user, creator } = parts(c);
      const tenantId = c.link.tenant.id;
      c.state = 'confirmed';
      c.story.push('released');
      this.books.give(tenantId, 'creator', tenantId, creator);
      this.books.give(tenantId, 'shopper', payeeOf(c), user);
    }
  }
}

function lists({ startedAt, statuses }: Poll, c: Conversion, always = false): boolean {
  const said = c.networkId === null ? undefined : statuses.get(c.networkId);
  if (startedAt < c.releaseAt || said === undefined) return false;
  return always ? said.every((status) => status === 'approved') : said.includes('approved');
}

function snapshot(c: Conversion): string {
  return [c.orderId, c.networkId, c.goal, c.status, c.net, c.fee, c.amount, c.state].join(' ');
}

function tell(said: Said): string {
  const at = new Date(said.receivedAt).toISOString();
  return `${at} ${said.source} ${said.postbackId} ${said.status} amount ${said.amount} payout ${said.payout} order ${said.orderId} id ${said.networkId} goal ${said.goal}`;
}

/** How many of these times lie in the fullest 24 hours that hold `at`; hours that begin with a sale are enough to look at. */
function fullestDay(times: readonly number[], at: number): number {
  const day = VELOCITY_HOURS * HOUR_MS;
  const sorted = times.toSorted((a, b) => a - b);
  let most = 0;
  for (const [index, begin] of sorted.entries()) {
    if (begin > at || begin + day <= at) continue;
    let end = index;
    while (end < sorted.length && (sorted[end] ?? 0) < begin + day) end += 1;
    most = Math.max(most, end - index);
  }
  return most;
}
