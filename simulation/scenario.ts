import type { FixedClock } from '@hissaback/shared/domain/chance.fake';
import type { Dice } from './dice.ts';
import type { Network, Sale, SaleStatus } from './network.ts';
import type { ClickName } from './oracle/said.ts';
import type { AtLeastOnceQueue } from './queue.ts';
import type { Timeline } from './timeline.ts';
import type { Workers } from './workers.ts';
import type { Link, Offer, World } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const POSTBACK_RETRIES = 5;

type Surroundings = {
  readonly world: World;
  readonly dice: Dice;
  readonly clock: FixedClock;
  readonly timeline: Timeline;
  readonly network: Network;
  readonly workers: Workers;
  readonly clicks: AtLeastOnceQueue;
  readonly postbacks: AtLeastOnceQueue;
  /** Every reference that was ever handed out. */
  readonly references: Map<string, ClickName>;
};
type ClickMade = { readonly name: ClickName; readonly reference: string; readonly link: Link };

/** What shoppers, creators, the network and strangers do: a day's clicks, sales, second thoughts, repetitions and nonsense. */
export class Scenario {
  readonly #around: Surroundings;
  #orders = 0;
  #saleCount = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Plans one day from `start` (milliseconds since the Unix epoch). */
  planDay(start: number): void {
    const { dice, timeline } = this.#around;
    const soon = (): number => start + dice.between(0, DAY_MS - HOUR_MS);
    for (let count = dice.between(10, 20); count > 0; count--) timeline.at(soon(), () => this.#visit());
    if (dice.chance(0.3)) timeline.at(soon(), () => this.#spree());
    if (dice.chance(0.35)) timeline.at(soon(), () => this.#orderAgain());
    for (let count = dice.between(0, 2); count > 0; count--) timeline.at(soon(), () => this.#nonsense());
    if (dice.chance(0.4)) timeline.at(soon(), () => this.#logIn());
  }

  async #visit(): Promise<void> {
    const { dice, timeline, clock } = this.#around;
    const click = await this.#click(this.#someLink(), this.#someVisitor());
    if (dice.chance(0.04)) await this.#collide(click);
    if (!dice.chance(0.55)) return;
    const sales = dice.chance(0.15) ? dice.between(2, 3) : 1;
    for (let sale = 0; sale < sales; sale++) {
      const wait = dice.chance(0.1) ? dice.between(1, 12 * 24) * HOUR_MS : dice.between(1, 300) * MINUTE_MS;
      timeline.at(clock.now() + wait, () => this.#buy(click));
    }
  }

  /** Many purchases of one visitor within hours. */
  async #spree(): Promise<void> {
    const { dice, timeline, clock } = this.#around;
    const visitor = this.#someVisitor();
    for (let count = dice.between(3, 7); count > 0; count--)
      timeline.at(clock.now() + dice.between(0, 10) * HOUR_MS, async () => {
        const click = await this.#click(this.#someLink(), visitor);
        this.#buy(click);
      });
  }

  /** An order id of the past comes again from another click, about when its window ends. */
  async #orderAgain(): Promise<void> {
    const { dice, timeline, clock, network, world } = this.#around;
    const past = network.sales.filter((sale) => sale.orderId !== null && clock.now() - sale.created < 35 * DAY_MS);
    if (past.length === 0) return;
    const sale = dice.pick(past);
    const links = [...world.links.values()].filter(
      (link) => world.offers.get(link.offerId)?.merchant === sale.offer.merchant,
    );
    const link = dice.pick(links);
    const window = (dice.chance(0.3) ? 30 : (link.tenant.rules.orderWindowDays ?? 30)) * DAY_MS;
    const when = sale.created + window + dice.pick([-1, 1]) * dice.between(1, 30) * HOUR_MS;
    timeline.at(Math.max(when, clock.now() + MINUTE_MS), async () => {
      const click = await this.#click(link, this.#someVisitor());
      this.#buy(click, sale.orderId);
    });
    if (dice.chance(0.3)) {
      const sooner = await this.#click(link, this.#someVisitor());
      this.#buy(sooner, sale.orderId);
    }
  }

  /** A click: its message goes to the queue, late, twice or never. */
  async #click(link: Link, visitorId: string | null, clickId?: bigint): Promise<ClickMade> {
    const { dice, workers, references, clicks } = this.#around;
    const { name, reference } = await workers.mintReference({ linkId: link.id, visitorId }, clickId);
    references.set(reference, name);
    const message = {
      click_id: String(name.clickId),
      link_id: link.id,
      tenant_id: link.tenant.id,
      visitor_id: visitorId,
      country: clickId === undefined ? dice.pick(['IN', 'IN', 'IN', 'AE', 'US', null]) : null,
      device: 'mobile',
      referrer_host: null,
      sub_id: null,
      source: 'edge',
    };
    const roll = dice.between(0, 99);
    if (roll >= 8) clicks.put(message, roll < 16 ? dice.between(1, 48) * HOUR_MS : dice.between(0, 5) * MINUTE_MS);
    if (roll >= 92) clicks.put(message, dice.between(0, 600) * MINUTE_MS);
    return { name, reference, link };
  }

  /** Another click with the same id: once in four million, and here more often. */
  async #collide(click: ClickMade): Promise<void> {
    const { dice, world } = this.#around;
    const links = [...world.links.values()].filter((link) => link.offerId === click.link.offerId);
    const visitorId = this.#someVisitor();
    const link = dice.pick(links);
    if (link === click.link && visitorId === click.name.visitorId) return;
    const other = await this.#click(link, visitorId, click.name.clickId);
    if (dice.chance(0.7)) this.#buy(other);
  }

  /** A sale: the network knows it, and tells of it as it likes, now and at every change. */
  #buy(click: ClickMade, orderId?: string | null): void {
    const { dice, world, network, clock, timeline } = this.#around;
    const offer = world.offers.get(click.link.offerId);
    if (offer === undefined) return;
    const amount = BigInt(dice.chance(0.06) ? dice.between(5_000_000, 60_000_000) : dice.between(5_000, 900_000));
    this.#saleCount += 1;
    if (orderId === undefined) this.#orders += 1;
    const isBare = dice.chance(0.08) && click.link.offerId !== 105;
    const sale: Sale = {
      id: `n${this.#saleCount}`,
      created: clock.now(),
      reference: dice.chance(0.02) ? null : click.reference,
      offer,
      orderId: orderId === undefined ? (dice.chance(0.85) ? `O${this.#orders}` : null) : orderId,
      goal: offer.goals.length > 0 && dice.chance(0.7) ? dice.pick(offer.goals) : null,
      country: dice.pick(['IN', 'IN', 'IN', 'AE', 'US', null]),
      amount,
      publisherId: dice.chance(0.5)
        ? null
        : dice.chance(0.95)
          ? click.link.tenant.pid
          : dice.pick(['pub-0', 'pub-1', 'pub-2', 'nobody']),
      payout: this.#payoutFor(offer, amount),
      status: dice.chance(0.4) ? 'pending' : 'approved',
      tells: {
        orderId: dice.chance(0.75),
        payout: dice.chance(0.4),
        currency: dice.chance(0.3),
        country: dice.chance(0.5),
      },
      postbackClick: isBare ? String(click.name.clickId) : click.reference,
    };
    network.sales.push(sale);
    this.#tell(sale);
    let at = clock.now();
    const later = (hours: number, change: () => void): void => {
      at += dice.between(1, hours) * HOUR_MS;
      timeline.at(at, async () => {
        change();
        this.#tell(sale);
      });
    };
    const become = (status: SaleStatus) => (): void => {
      sale.status = status;
    };
    if (sale.status === 'pending') later(60, become(dice.chance(0.85) ? 'approved' : 'rejected'));
    if (dice.chance(0.15))
      later(150, () => {
        sale.payout = (sale.payout * BigInt(dice.between(20, 99))) / 100n;
      });
    if (dice.chance(0.12))
      later(200, () => {
        sale.payout = (sale.payout * BigInt(dice.between(101, 180))) / 100n;
      });
    if (dice.chance(0.2)) {
      later(240, become(dice.pick(['cancelled', 'rejected'])));
      if (dice.chance(0.4)) {
        later(150, become('approved'));
        if (dice.chance(0.3)) later(150, become('cancelled'));
      }
    }
  }

  #payoutFor(offer: Offer, amount: bigint): bigint {
    const { dice } = this.#around;
    if (dice.chance(0.1)) return BigInt(dice.between(0, 50_000));
    return 'pct' in offer.terms ? (amount * offer.terms.pct) / 10_000n : offer.terms.fixed;
  }

  /** Sends a postback about the sale as it is now: lost, once or more often, soon or days later. */
  #tell(sale: Sale): void {
    const { dice, clock, timeline, network } = this.#around;
    const isSilent = sale.status === 'cancelled' || sale.status === 'rejected' ? dice.chance(0.5) : dice.chance(0.15);
    if (isSilent) return;
    const copies = dice.chance(0.15) ? dice.between(2, 3) : 1;
    const address = network.postback(sale);
    for (let copy = 0; copy < copies; copy++) {
      const delay = dice.chance(0.12) ? dice.between(1, 96) * HOUR_MS : dice.between(0, 20) * MINUTE_MS;
      timeline.at(clock.now() + delay, () => this.#send(address, 1));
    }
  }

  /** The network repeats a postback that was not answered by 200, five times with back-off. */
  async #send(address: string, attempt: number): Promise<void> {
    const { workers, timeline, clock } = this.#around;
    const status = await workers.postback(address);
    if (status === 200 || attempt > POSTBACK_RETRIES) return;
    timeline.at(clock.now() + 2 ** attempt * MINUTE_MS, () => this.#send(address, attempt + 1));
  }

  /** What the network or a stranger sends by mistake. */
  async #nonsense(): Promise<void> {
    const { dice, network, workers, clock } = this.#around;
    const { sales } = network;
    if (sales.length === 0) return;
    const address = new URL(network.postback(dice.pick(sales)));
    const put = (name: string, value: string): void => address.searchParams.set(name, value);
    const kind = dice.between(0, 7);
    if (kind === 0) put('sale_amount', '{sale_amount}');
    else if (kind === 1) put('click_id', '');
    else if (kind === 2) put('click_id', `${dice.between(1, 9)}`.repeat(76));
    else if (kind === 3) put('offer_id', String(dice.between(101, 105)));
    else if (kind === 4) put('currency', 'USD');
    else if (kind === 5) put('offer_id', '999');
    else if (kind === 6) put('click_id', String((BigInt(clock.now() - DAY_MS - Date.UTC(2024, 0, 1)) << 22n) + 5n));
    else put('sale_amount', '');
    await workers.postback(address.href);
  }

  /** A shopper logs in with the visitor of a browser, anonymous or not; the ledger consumer hears of it sooner, later or never. */
  async #logIn(): Promise<void> {
    const { dice, world, timeline, clock, postbacks } = this.#around;
    const visitorId = dice.pick([...world.visitors.keys()]);
    const user = dice.pick(world.users);
    const holder = world.visitors.get(visitorId) ?? null;
    if (holder !== null && holder !== user.id) return;
    await this.bind(visitorId, user.id);
    for (let copies = dice.pick([0, 1, 1, 1, 1, 1, 1, 2, 2]); copies > 0; copies--)
      timeline.at(clock.now() + (dice.chance(0.2) ? dice.between(1, 48) * HOUR_MS : MINUTE_MS), async () => {
        postbacks.put({ kind: 'claim', visitor_id: visitorId, user_id: user.id });
      });
  }

  /** What the login does to the database; set by whoever owns its connection. */
  bind: (visitorId: string, userId: string) => Promise<void> = async () => undefined;

  #someLink(): Link {
    const { dice, world } = this.#around;
    return dice.pick([...world.links.values()]);
  }

  #someVisitor(): string | null {
    const { dice, world } = this.#around;
    return dice.chance(0.08) ? null : dice.pick([...world.visitors.keys()]);
  }
}
