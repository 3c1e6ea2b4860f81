import { openDatabase } from '@hissaback/shared/db/client';
import { fixedClock, seededRandom } from '@hissaback/shared/domain/chance.fake';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import pg from 'pg';
import { createTestDatabase, type TestServer } from '../tests/support/postgres.ts';
import { Amazon } from './amazon.ts';
import { checkInvariants, compareAll } from './compare.ts';
import { Dice } from './dice.ts';
import { installFaultyPostgres } from './faulty-postgres.ts';
import { Network } from './network.ts';
import { Disagreement, Observer } from './observer.ts';
import { type Heir, isLost, payeeOf } from './oracle/conversion.ts';
import { Oracle } from './oracle/oracle.ts';
import type { ClickName } from './oracle/said.ts';
import { Phones } from './phones.ts';
import { AtLeastOnceQueue } from './queue.ts';
import { Scenario } from './scenario.ts';
import { installSteadyCrypto } from './steady-crypto.ts';
import { Timeline } from './timeline.ts';
import { WorkerLog } from './worker-log.ts';
import { type WorkerSettings, Workers } from './workers.ts';
import { inHundredths, makeWorld, storeWorld } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Days at the end in which nothing fails, so that everything that waits must come to its end. */
const QUIET_DAYS = 2;
const MOST_DRAIN_ROUNDS = 400;
const UNREADABLE = { kind: 'nobody can read this' };
/** Sales that even the network's list cannot attribute. */
const UNATTRIBUTABLE = ['ambiguous', 'click_too_old'];

/** What a day came to, for whoever watches. */
export type DayReport = {
  readonly day: number;
  readonly date: string;
  readonly conversions: number;
  readonly postbacks: number;
  readonly payouts: number;
  readonly cards: number;
};
export type SimulationResult = {
  readonly days: number;
  readonly conversions: number;
  readonly postbacks: number;
  readonly cards: number;
  /** Rewards that nobody claimed in time. */
  readonly expired: number;
  /** Equal for equal seeds: everything that the model knew at the end. */
  readonly fingerprint: string;
};

/** The simulation's failure with what is needed to follow it; the seed plays it again exactly. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
}

/**
 * Plays the world of one seed for a number of days on a database of its own, with the real handlers, and compares the database with the
 * model after every commit and every day.
 * @throws SimulationFailure
 */
export async function simulate(
  server: TestServer,
  options: { seed: number; days: number; onDay?: (report: DayReport) => void },
): Promise<SimulationResult> {
  const simulation = await Simulation.open(server, options.seed);
  try {
    return await simulation.play(options.days, options.onDay ?? (() => undefined));
  } finally {
    await simulation.close();
  }
}

function settingsFor(dice: Dice): WorkerSettings & { unclaimedTo: Heir } {
  const cards = dice.pick([
    { voucherMaximum: '10000.00', voucherStep: '1.00' },
    { voucherMaximum: '2000.00', voucherStep: '50.00' },
    { voucherMaximum: '1000.00', voucherStep: '1.00' },
  ]);
  return {
    feePoints: dice.pick([0n, 250n]),
    releaseNeedsPoll: dice.chance(0.5),
    csv: dice.chance(0.5),
    inbox: dice.chance(0.4),
    unclaimedDays: dice.pick([6, 20, 365]),
    unclaimedTo: dice.pick(['creator', 'platform'] as const),
    payoutMinimum: '100.00',
    ...cards,
  };
}

class Simulation {
  readonly #seed: number;
  readonly #parts: Awaited<ReturnType<typeof assemble>>;
  #downUntil = 0;

  private constructor(seed: number, parts: Awaited<ReturnType<typeof assemble>>) {
    this.#seed = seed;
    this.#parts = parts;
  }

  static async open(server: TestServer, seed: number): Promise<Simulation> {
    return new Simulation(seed, await assemble(server, seed));
  }

  async close(): Promise<void> {
    await this.#parts.close();
  }

  async play(days: number, onDay: (report: DayReport) => void): Promise<SimulationResult> {
    const { clock, dice, faults, oracle, amazon } = this.#parts;
    faults.isDown = () => clock.now() < this.#downUntil;
    let day = 0;
    let start = clock.now();
    try {
      for (; day < days + QUIET_DAYS; day++) {
        const isQuiet = day >= days;
        await this.#day(start, isQuiet);
        await this.#audit();
        onDay({
          day: day + 1,
          date: new Date(start).toISOString().slice(0, 10),
          conversions: oracle.conversions.length,
          postbacks: oracle.postbacks.size,
          payouts: oracle.books.payouts.size,
          cards: amazon.cards.size,
        });
        start += DAY_MS;
        // The clock jumps: over a weekend, a month's end, a quarter's.
        if (!isQuiet && dice.chance(0.06)) start += dice.between(1, 20) * DAY_MS;
      }
      await this.#settle();
      this.#checkEnd();
    } catch (error) {
      throw this.#failure(error, day + 1);
    }
    return {
      days: day,
      conversions: oracle.conversions.length,
      postbacks: oracle.postbacks.size,
      cards: amazon.cards.size,
      expired: oracle.conversions.filter(({ expiredTo }) => expiredTo !== null).length,
      fingerprint: this.#fingerprint(),
    };
  }

  async #day(start: number, isQuiet: boolean): Promise<void> {
    const { clock, dice, timeline, scenario, workers, network, amazon, phones, postbacks, clicks } = this.#parts;
    const end = start + DAY_MS;
    for (const part of [workers, network, amazon, phones, postbacks, clicks]) part.isQuiet = isQuiet;
    if (isQuiet) await this.#resolveRefusals();
    else {
      scenario.planDay(start);
      this.#planTrouble(start);
    }
    this.#planSchedules(start, isQuiet);
    for (let next = timeline.next(end); next !== null; next = timeline.next(end)) {
      clock.set(Math.max(clock.now(), next.at));
      await next.happen();
    }
    clock.set(Math.max(clock.now(), end - HOUR_MS));
    await this.#drain(end - 1);
    await this.#compare();
    clock.set(Math.max(clock.now(), end - 1));
    if (!isQuiet && dice.chance(0.3)) await this.#resolveRefusals();
  }

  /** When the queues are looked at and the crons fire; now and then one does not, or does twice. */
  #planSchedules(start: number, isQuiet: boolean): void {
    const { dice, timeline, workers, postbacks, clicks } = this.#parts;
    const times = (count: number, run: () => Promise<unknown>): void => {
      for (let index = 0; index < count; index++)
        timeline.at(start + dice.between(0, DAY_MS - 2 * HOUR_MS), async () => {
          await run();
        });
    };
    times(12, async () => {
      await workers.consume(clicks, dice.pick([1, 5, 100]));
      await workers.consume(postbacks, dice.pick([1, 3, 10, 100]));
    });
    times(isQuiet ? 6 : 3, async () => {
      const run = await workers.payoutSchedule('release');
      await this.#parts.observer.seeRelease(run.kind === 'done' && run.value.ok);
    });
    times(isQuiet ? 12 : 5, () => this.#payOut());
    times(1, () => workers.payoutSchedule('nightly-retry'));
    times(2, () => workers.webhookSchedule('rematch'));
    times(isQuiet || dice.chance(0.8) ? 1 : 0, async () => {
      const run = await workers.webhookSchedule('expire-unclaimed');
      await this.#parts.observer.seeExpiry(run.kind === 'done' && run.value.ok);
    });
    times(2, () => workers.webhookSchedule('inbox'));
    times(1, () => workers.webhookSchedule('tidy'));
    if (isQuiet || dice.chance(0.9)) times(dice.chance(0.1) ? 2 : 1, () => workers.webhookSchedule('reconcile'));
    if (isQuiet || dice.chance(0.5)) times(1, () => workers.payoutSchedule('partitions'));
  }

  async #payOut(): Promise<void> {
    const { workers, oracle, observer, cardRules } = this.#parts;
    const run = await workers.payoutSchedule('payout');
    if (run.kind !== 'done' || !run.value.ok) return;
    for (const [key, { available }] of oracle.books.accounts) {
      const [side, , payee = ''] = key.split(' ');
      // What is returned while a run sends is for the next one.
      const isReturned = [...oracle.books.payouts.values()].some(
        (p) => p.payee === payee && (p.status === 'error_hard' || p.status === 'cancelled'),
      );
      if (side === 'shopper' && available >= cardRules.minimum && observer.mayBePaid(payee) && !isReturned)
        throw new Disagreement(`${key} has ${available} paise available and was not paid by a whole run`);
    }
  }

  #planTrouble(start: number): void {
    const { dice, timeline, clock, amazon, world, postbacks, settings } = this.#parts;
    const during = (chance: number, happen: () => void | Promise<void>): void => {
      if (dice.chance(chance)) timeline.at(start + dice.between(0, 20) * HOUR_MS, happen);
    };
    during(0.12, () => {
      this.#downUntil = clock.now() + dice.between(1, 180) * MINUTE_MS;
    });
    during(0.06, () => {
      amazon.emptyUntil = clock.now() + dice.between(1, 30) * HOUR_MS;
    });
    during(0.04, () => {
      amazon.refusedUntil = clock.now() + dice.between(1, 10) * HOUR_MS;
    });
    during(0.03, () => postbacks.put(UNREADABLE));
    during(settings.inbox ? 0.1 : 0, () => postbacks.loseAll());
    during(0.1, async () => {
      const offer = dice.pick([...world.offers.values()]);
      offer.coolOffDays = dice.between(0, 6);
      await this.#parts.owner.query('update offers set cool_off_days = $2 where offer_id = $1', [
        offer.id,
        offer.coolOffDays,
      ]);
    });
  }

  /** Delivers what can be delivered by `until`. */
  async #drain(until: number): Promise<void> {
    const { clock, clicks, postbacks, workers } = this.#parts;
    for (let round = 0; round < MOST_DRAIN_ROUNDS; round++) {
      const queues = [clicks, postbacks, clicks.deadLetters, postbacks.deadLetters].filter((queue) => queue !== null);
      const due = queues.flatMap((queue) => queue.nextDueAt ?? []);
      const first = Math.min(...due);
      if (!(first <= until)) return;
      clock.set(Math.max(clock.now(), first));
      for (const queue of queues) await workers.consume(queue, 100);
    }
    throw new Disagreement('the queues do not drain');
  }

  async #resolveRefusals(): Promise<void> {
    const { owner, oracle, clock } = this.#parts;
    for (const payout of oracle.books.payouts.values()) {
      if (payout.status !== 'error_hard' || payout.isResolved) continue;
      await owner.query('update payouts set resolved_at = $2 where payout_id = $1', [payout.id, new Date(clock.now())]);
      payout.isResolved = true;
    }
  }

  async #compare(): Promise<void> {
    const { owner, world, oracle, observer, amazon } = this.#parts;
    await compareAll({ owner, world, oracle, observer, amazon });
  }

  /** The audit's word on what the model has just agreed to. */
  async #audit(): Promise<void> {
    const { audited, observer } = this.#parts;
    await checkInvariants({ audited, observer });
  }

  /** A last look at the network's list, taken in whole. */
  async #settle(): Promise<void> {
    const { clock, workers } = this.#parts;
    clock.advance(MINUTE_MS);
    const run = await workers.webhookSchedule('reconcile');
    if (run.kind !== 'done' || !run.value.ok) throw new Disagreement(`reconciliation failed: ${JSON.stringify(run)}`);
    await this.#drain(clock.now() + DAY_MS);
    await this.#compare();
    await this.#audit();
  }

  /** After the quiet days nothing may wait any more, and the books say what the network says. */
  #checkEnd(): void {
    const { oracle, observer, network, world, postbacks, clicks, clock, references } = this.#parts;
    const wrong: string[] = [];
    // What is queued for somebody with a refused payout waits until an operator has looked at that.
    const open = [...oracle.books.payouts.values()].filter(
      ({ status, payee }) =>
        !['paid', 'error_hard', 'cancelled'].includes(status) && !(status === 'queued' && !observer.mayBePaid(payee)),
    );
    wrong.push(...open.map(({ id, status }) => `payout ${id} is still ${status}`));
    for (const c of oracle.conversions) {
      const holder = world.visitors.get(c.click.visitorId ?? '') ?? null;
      if (c.userId === null && holder !== null && c.expiredTo === null)
        wrong.push(`conversion ${c.convId} was never claimed by ${holder}`);
    }
    for (const [c, country] of oracle.overtaken())
      wrong.push(`conversion ${c.convId} was never judged with its click's country ${country}`);
    const waiting = [...postbacks.bodies, ...clicks.bodies].filter(
      (body) => (body as { kind?: string }).kind !== UNREADABLE.kind,
    );
    if (waiting.length > 0) wrong.push(`still in the queues: ${JSON.stringify(waiting.slice(0, 3))}`);
    for (const sale of network.sales) {
      const isListed = sale.created > clock.now() - 85 * DAY_MS;
      const click = sale.reference === null ? undefined : references.get(sale.reference);
      const link = click === undefined ? undefined : world.links.get(click.linkId);
      const publisher = world.tenants.find(({ pid }) => pid === sale.publisherId);
      const isOurs = link !== undefined && (publisher ?? link.tenant) === link.tenant;
      if (!isListed || !isOurs || sale.offer.currency !== 'INR') continue;
      const c = oracle.conversions.find(({ networkId }) => networkId === sale.id);
      if (c === undefined) {
        const reason = oracle.unmatchedSales.get(sale.id) ?? 'no event';
        if (!UNATTRIBUTABLE.includes(reason)) wrong.push(`sale ${sale.id} is not in the books: ${reason}`);
        continue;
      }
      const isSame = isLost(sale.status) ? isLost(c.status) : c.status === sale.status && c.net + c.fee === sale.payout;
      if (!isSame && !oracle.isOrderTaken(c))
        wrong.push(
          `sale ${sale.id} is ${sale.status} with ${sale.payout} at the network, ${c.status} with ${c.net + c.fee} here (conversion ${c.convId}, ${payeeOf(c)}):\n  ${c.story.join('\n  ')}`,
        );
    }
    if (wrong.length > 0) throw new Disagreement(wrong.slice(0, 10).join('\n'));
  }

  #failure(error: unknown, day: number): SimulationFailure {
    const stories = error instanceof Disagreement ? error.stories : [];
    const what =
      error instanceof Error
        ? error instanceof Disagreement
          ? error.message
          : (error.stack ?? error.message)
        : String(error);
    const lines = [
      `seed ${this.#seed}, day ${day}, ${new Date(this.#parts.clock.now()).toISOString()}`,
      what,
      ...(stories.length > 0 ? ['what happened to it:', ...stories.slice(-80).map((line) => `  ${line}`)] : []),
      'the workers said last:',
      ...this.#parts.log.trouble(6).map((line) => `  ${line.slice(0, 700)}`),
      `again: npm run simulate -- --seed ${this.#seed} --days ${day}`,
    ];
    return new SimulationFailure(lines.join('\n'), { cause: error });
  }

  #fingerprint(): string {
    const { oracle, amazon, phones } = this.#parts;
    const conversions = oracle.conversions.map((c) => `${c.convId} ${c.state} ${c.net} ${payeeOf(c)}`);
    const accounts = [...oracle.books.accounts].map(
      ([key, a]) => `${key} ${a.available} ${a.reserved} ${a.receivable}`,
    );
    const cards = [...amazon.cards].map(([id, card]) => `${id} ${card.amount} ${card.status}`);
    return [...conversions, ...accounts, ...cards, `${phones.messages.length} messages`].join('\n');
  }
}

/** Everything that one simulation consists of. */
async function assemble(server: TestServer, seed: number) {
  const dice = new Dice(seededRandom(seed));
  const clock = fixedClock(Date.UTC(2026, dice.between(0, 11), dice.between(10, 28)));
  const world = makeWorld(seededRandom(seed + 0x10000), seed);
  const settings = settingsFor(dice);
  const database = await createTestDatabase(server);
  const owner = new pg.Client({ connectionString: database.owner });
  await owner.connect();
  const audited = openDatabase({ connectionString: database.owner });
  await storeWorld(owner, world, clock.now());
  const faults = installFaultyPostgres(owner);
  const restoreCrypto = installSteadyCrypto();
  const log = new WorkerLog();
  const network = new Network(new Dice(seededRandom(seed + 0x20000)));
  const amazon = new Amazon(seed);
  const phones = new Phones(seed);
  const queueDice = new Dice(seededRandom(seed + 0x30000));
  const now = (): number => clock.now();
  const queue = (name: string): AtLeastOnceQueue =>
    new AtLeastOnceQueue(name, queueDice, now, new AtLeastOnceQueue(`${name}-dlq`, queueDice, now));
  const postbacks = queue('hissaback-postbacks');
  const clicks = queue('hissaback-clicks');
  const workers = new Workers({
    database,
    faults,
    clock,
    random: seededRandom(seed + 0x40000),
    dice: new Dice(seededRandom(seed + 0x50000)),
    network,
    amazon,
    phones,
    postbacks,
    clicks,
    settings,
  });
  const cardRules = {
    minimum: inHundredths(settings.payoutMinimum),
    cardMinimum: inHundredths(settings.voucherStep),
    cardMaximum: inHundredths(settings.voucherMaximum),
    step: inHundredths(settings.voucherStep),
  };
  const { feePoints, releaseNeedsPoll, unclaimedDays, unclaimedTo } = settings;
  const rules = { feePoints, releaseNeedsPoll, unclaimedDays, unclaimedTo, attributionDays: 90 };
  const oracle = new Oracle(world, rules, now);
  const references = new Map<string, ClickName>();
  const observer = new Observer({ owner, clock, world, oracle, network, amazon, phones, references, cardRules });
  faults.committed = (life, written) => observer.committed(life, written);
  const timeline = new Timeline();
  const scenario = new Scenario({ world, dice, clock, timeline, network, workers, clicks, postbacks, references });
  const visitorRandom = seededRandom(seed + 0x60000);
  scenario.bind = async (visitorId, userId) => {
    await owner.query('select bind_visitor($1, $2, $3)', [visitorId, userId, new Date(clock.now())]);
    world.visitors.set(visitorId, userId);
    // Somebody new comes along.
    world.visitors.set(mintUuid(visitorRandom), null);
  };
  const close = async (): Promise<void> => {
    await faults.remove();
    restoreCrypto();
    log.restore();
    await audited.end();
    await owner.end();
    await database.drop();
  };
  return {
    clock,
    dice,
    world,
    owner,
    audited,
    faults,
    network,
    amazon,
    phones,
    postbacks,
    clicks,
    workers,
    oracle,
    observer,
    timeline,
    scenario,
    references,
    cardRules,
    settings,
    log,
    close,
  };
}
