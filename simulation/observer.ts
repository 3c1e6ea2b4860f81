import type { FixedClock } from '@hissaback/shared/domain/chance.fake';
import type pg from 'pg';
import type { Amazon } from './amazon.ts';
import type { Life } from './life.ts';
import type { Network, SaleStatus } from './network.ts';
import type { Payout } from './oracle/books.ts';
import type { Conversion } from './oracle/conversion.ts';
import type { Oracle } from './oracle/oracle.ts';
import { type ClickName, type EventMessage, type Ignored, readMessage, type Said } from './oracle/said.ts';
import { type CardRules, cardsFor } from './oracle/vouchers.ts';
import type { Phones } from './phones.ts';
import { hundredths, inHundredths, type World } from './world.ts';

/** The model and the database do not agree. */
export class Disagreement extends Error {
  override readonly name = 'Disagreement';
  readonly stories: readonly string[];
  constructor(message: string, stories: readonly string[] = []) {
    super(message);
    this.stories = stories;
  }
}

const LONGEST_RUN_MS = 3_600_000;

type PostbackRow = {
  postback_id: string;
  source: string;
  raw: Record<string, string>;
  outcome: string;
  detail: string | null;
  conv_id: string | null;
  version: string;
};
type PayoutRow = {
  payout_id: string;
  tenant_id: string;
  payee: string;
  amount: string;
  status: string;
  creation_request_id: string;
  created_at: Date;
};

export type Seen = {
  readonly owner: pg.Client;
  readonly clock: FixedClock;
  readonly world: World;
  readonly oracle: Oracle;
  readonly network: Network;
  readonly amazon: Amazon;
  readonly phones: Phones;
  readonly references: ReadonlyMap<string, ClickName>;
  readonly cardRules: CardRules;
};

/**
 * Stands behind every COMMIT: sees what the database holds now that it did not hold before, lets the model take the same step, and says so
 * at once where the two differ.
 */
export class Observer {
  readonly byConvId = new Map<string, Conversion>();
  readonly #seen: Seen;
  readonly #versions = new Map<string, string>();
  #payoutsSeenTo = 0;

  constructor(seen: Seen) {
    this.#seen = seen;
  }

  /** `written` names the tables that the transaction wrote to: what it did not touch is not looked at. */
  async committed(life: Life, written: string): Promise<void> {
    const isOf = (...tables: string[]): boolean => tables.some((table) => written.includes(table));
    if (life.name === 'hissaback-postbacks') {
      if (isOf('into postbacks')) await this.#seePostbacks();
      if (isOf('update conversions')) await this.#seeClaims();
    } else if (life.name === 'hissaback-clicks') {
      if (isOf('into clicks')) await this.#seeClicks();
      await this.#seeOvertaken();
    } else if (life.name === 'expire-unclaimed') await this.seeExpiry(false);
    else if (isOf('network_polls')) await this.#seePolls();
    if (isOf('into payouts', 'update payouts')) await this.#seePayouts();
  }

  async #seePostbacks(): Promise<void> {
    const { oracle, references } = this.#seen;
    const rows = await this.#rows<PostbackRow>(
      `select postback_id, source, raw, outcome, detail, conv_id, xmin::text as version from postbacks where processed_at = $1`,
      [new Date(this.#seen.clock.now())],
    );
    const fresh = rows.filter((row) => this.#versions.get(row.postback_id) !== row.version);
    const read = fresh.map((row) => {
      const message: EventMessage = { kind: 'event', ...row };
      return { row, said: readMessage(message, references) };
    });
    // The order in which a batch is taken: by click, then by arrival (money rule 19); what is no event comes last.
    read.sort((a, b) => compare(orderOf(a.said), orderOf(b.said)) || compare(a.said.postbackId, b.said.postbackId));
    for (const { row, said } of read) {
      this.#versions.set(row.postback_id, row.version);
      const before = oracle.postbacks.get(said.postbackId);
      if (before !== undefined && before.outcome !== 'unmatched')
        throw new Disagreement(`postback ${row.postback_id} was taken twice`);
      const expected = oracle.take(said);
      const story = expected.conversion?.story ?? [];
      const says = (what: string): Disagreement =>
        new Disagreement(`postback ${row.postback_id} (${JSON.stringify(row.raw)}): ${what}`, story);
      if (row.outcome !== expected.outcome || (expected.reason !== null && row.detail !== expected.reason))
        throw says(
          `the database says ${row.outcome} (${row.detail}), the model ${expected.outcome} (${expected.reason})`,
        );
      if ((row.conv_id === null) !== (expected.conversion === null)) throw says('only one of the two has a conversion');
      if (row.conv_id === null || expected.conversion === null) continue;
      if (expected.conversion.convId === 0n) {
        expected.conversion.convId = BigInt(row.conv_id);
        this.byConvId.set(row.conv_id, expected.conversion);
      }
      if (String(expected.conversion.convId) !== row.conv_id)
        throw says(`it is of conversion ${row.conv_id}, the model says ${expected.conversion.convId}`);
    }
  }

  async #seeClaims(): Promise<void> {
    const { oracle, world } = this.#seen;
    const waiting = oracle.conversions.filter(
      (c) =>
        c.userId === null && c.click.visitorId !== null && (world.visitors.get(c.click.visitorId) ?? null) !== null,
    );
    if (waiting.length === 0) return;
    const rows = await this.#rows<{ conv_id: string; user_id: string }>(
      'select conv_id, user_id from conversions where user_id is not null and conv_id = any($1::bigint[]) order by conv_id',
      [waiting.map((c) => String(c.convId))],
    );
    const byUser = new Map<string, Conversion[]>();
    for (const row of rows) {
      const conversion = this.byConvId.get(row.conv_id);
      if (conversion === undefined) continue;
      if (world.visitors.get(conversion.click.visitorId ?? '') !== row.user_id)
        throw new Disagreement(
          `conversion ${row.conv_id} was claimed by somebody who is not its visitor`,
          conversion.story,
        );
      byUser.set(row.user_id, [...(byUser.get(row.user_id) ?? []), conversion]);
    }
    for (const [userId, conversions] of byUser) oracle.claim(conversions, userId);
  }

  async #seeClicks(): Promise<void> {
    const { oracle } = this.#seen;
    const rows = await this.#rows<{
      click_id: string;
      reference_click_id: string | null;
      link_id: string;
      visitor_id: string | null;
      country: string | null;
      version: string;
    }>(
      `select click_id, reference_click_id, link_id, visitor_id, country, xmin::text as version from clicks where source <> 'reference'`,
    );
    for (const row of rows) {
      if (this.#versions.get(`click ${row.click_id}`) === row.version) continue;
      this.#versions.set(`click ${row.click_id}`, row.version);
      oracle.storeClick({
        clickId: BigInt(row.reference_click_id ?? row.click_id),
        linkId: row.link_id,
        visitorId: row.visitor_id,
        country: row.country,
      });
    }
  }

  async #seeOvertaken(): Promise<void> {
    const { oracle } = this.#seen;
    const overtaken = oracle.overtaken();
    if (overtaken.size === 0) return;
    const rows = await this.#rows<{ conv_id: string; click_country: string }>(
      'select conv_id, click_country from conversions where click_country is not null and conv_id = any($1::bigint[]) order by conv_id',
      [[...overtaken.keys()].map((c) => String(c.convId))],
    );
    for (const row of rows) {
      const conversion = this.byConvId.get(row.conv_id);
      if (conversion === undefined) continue;
      if (overtaken.get(conversion) !== row.click_country)
        throw new Disagreement(
          `conversion ${row.conv_id} was given the country ${row.click_country}`,
          conversion.story,
        );
      oracle.judgeAgain(conversion, row.click_country);
    }
  }

  async #seePolls(): Promise<void> {
    const { oracle, network } = this.#seen;
    const rows = await this.#rows<{ started_at: Date; finished_at: Date }>(
      'select started_at, finished_at from network_polls where finished_at is not null order by started_at',
    );
    if (rows.length === oracle.polls.length) return;
    oracle.polls = rows.map(({ started_at: from, finished_at: to }) => {
      const statuses = new Map<string, SaleStatus[]>();
      for (const answer of network.answers) {
        if (answer.at < from.getTime() || answer.at > to.getTime()) continue;
        for (const [id, status] of answer.statuses) statuses.set(id, [...(statuses.get(id) ?? []), status]);
      }
      return { startedAt: from.getTime(), statuses };
    });
  }

  /** After a release run: compares what it confirmed with what it may and must; `isWhole` says that the run has succeeded. */
  async seeRelease(isWhole: boolean): Promise<void> {
    const { oracle } = this.#seen;
    const { may, must } = oracle.releasable();
    const rows = await this.#rows<{ conv_id: string }>(
      `select conv_id from ledger where seq = 0 and status in ('confirmed', 'paid') and conv_id = any($1::bigint[])`,
      [oracle.conversions.filter((c) => c.state === 'pending').map((c) => String(c.convId))],
    );
    const released = new Set(rows.flatMap((row) => this.byConvId.get(row.conv_id) ?? []));
    const tell = (c: Conversion, what: string): string =>
      `${c.convId} ${what} (release at ${new Date(c.releaseAt).toISOString()}, network ${c.status})`;
    const isDone = isWhole || released.size > 0;
    const wrong = [
      ...[...released].filter((c) => !may.has(c)).map((c) => [c, tell(c, 'was released and must not be')] as const),
      ...[...must]
        .filter((c) => isDone && !released.has(c))
        .map((c) => [c, tell(c, 'must be released and was not')] as const),
    ];
    if (wrong.length > 0)
      throw new Disagreement(
        `release: ${wrong.map(([, what]) => what).join('; ')}`,
        wrong.flatMap(([c]) => c.story),
      );
    oracle.release([...released].sort((a, b) => (a.convId < b.convId ? -1 : 1)));
  }

  /** Compares what has expired with what may; after a whole run everything that may has. */
  async seeExpiry(isWhole: boolean): Promise<void> {
    const { oracle } = this.#seen;
    const may = new Set(oracle.expirable());
    const rows = await this.#rows<{ conv_id: string }>(
      `select conv_id from ledger where seq = 0 and status = 'confirmed' and reason = 'expired' and conv_id = any($1::bigint[]) order by conv_id`,
      [oracle.conversions.filter((c) => c.state === 'pending').map((c) => String(c.convId))],
    );
    const expired = rows.flatMap((row) => this.byConvId.get(row.conv_id) ?? []);
    const wrong = [
      ...expired.filter((c) => !may.has(c)).map((c) => [c, `${c.convId} has expired and must not`] as const),
      ...[...may]
        .filter((c) => isWhole && !expired.includes(c))
        .map((c) => [c, `${c.convId} must have expired`] as const),
    ];
    if (wrong.length > 0)
      throw new Disagreement(
        `expiry: ${wrong.map(([, what]) => what).join('; ')}`,
        wrong.flatMap(([c]) => c.story),
      );
    oracle.expire(expired);
  }

  async #seePayouts(): Promise<void> {
    const { oracle, clock, cardRules } = this.#seen;
    const { books } = oracle;
    const rows = await this.#rows<PayoutRow>(
      // Cards of the same amount are told apart by the rewards they use: oldest first.
      `select p.payout_id, p.tenant_id, p.payee, p.amount, p.status, p.creation_request_id, p.created_at from payouts p
       left join lateral (
         select min(array[extract(epoch from l.created_at), l.conv_id]) as first, max(array[extract(epoch from l.created_at), l.conv_id]) as last
         from payout_items i join ledger l on l.led_id = i.led_id and l.tenant_id = p.tenant_id
         where i.payout_id = p.payout_id and not p.payout_id = any($2::uuid[])) used on true
       where p.status_at >= $1 order by p.amount desc, used.first, used.last, p.payout_id`,
      [new Date(this.#payoutsSeenTo), [...books.payouts.keys()]],
    );
    // A run may write a time that it took a while ago.
    this.#payoutsSeenTo = clock.now() - LONGEST_RUN_MS;
    const fresh = rows.filter((row) => !books.payouts.has(row.payout_id));
    const byPayee = Map.groupBy(fresh, (row) => `${row.tenant_id} ${row.payee}`);
    for (const [payee, cards] of byPayee) {
      const [first] = cards;
      if (first === undefined) continue;
      const { available } = books.account(first.tenant_id, 'shopper', first.payee);
      const expected = cardsFor(available, cardRules).map(hundredths);
      const found = cards.map((card) => card.amount);
      if (expected.join() !== found.join() || !this.mayBePaid(first.payee))
        throw new Disagreement(
          `payouts of ${payee} with ${hundredths(available)} available: ${found}, the model says ${expected}`,
        );
      books.reserve(
        cards.map((card) => ({
          id: card.payout_id,
          tenantId: card.tenant_id,
          payee: card.payee,
          amount: inHundredths(card.amount),
          requestId: card.creation_request_id,
          createdAt: card.created_at.getTime(),
          status: 'queued',
          isResolved: false,
        })),
      );
    }
    for (const row of rows) {
      const payout = books.payouts.get(row.payout_id);
      if (payout === undefined || payout.status === row.status) continue;
      this.#checkMove(payout, row.status);
      books.move(payout, row.status);
    }
  }

  /** A phone to send to, and no refused payout that an operator has not looked at. */
  mayBePaid(payee: string): boolean {
    const { oracle, world } = this.#seen;
    const user = world.users.find(({ id }) => id === payee);
    const isBlocked = [...oracle.books.payouts.values()].some(
      (payout) => payout.payee === payee && payout.status === 'error_hard' && !payout.isResolved,
    );
    return user !== undefined && user.phone !== null && !isBlocked;
  }

  /** Whether what Amazon and the phones saw allows this step (money rules 12, 14, 15). */
  #checkMove(payout: Payout, to: string): void {
    const { amazon, phones, world } = this.#seen;
    const said = amazon.answers.get(payout.requestId) ?? [];
    const card = amazon.cards.get(payout.requestId);
    const must = (isRight: boolean, why: string): void => {
      if (!isRight)
        throw new Disagreement(`payout ${payout.id} went from ${payout.status} to ${to}: ${why}`, [
          `Amazon: ${said.join(', ')}`,
        ]);
    };
    if (to === 'issued') must(card?.status === 'Fulfilled' && card.amount === payout.amount, 'there is no such card');
    if (to === 'error_hard') {
      must(card === undefined, 'a card exists');
      // A throttled call was not looked at: it is no answer.
      const answers = said.filter((answer) => answer !== 'throttled');
      must(answers.join() === 'refused', 'it was not refused at the first and only call');
    }
    if (to === 'cancelled') must(card?.status === 'RefundedToPurchaser', 'only a reversal or a refund cancels');
    if (to === 'paid') {
      const phone = world.users.find(({ id }) => id === payout.payee)?.phone;
      const delivered = phones.messages.filter(({ reference }) => reference.startsWith(payout.id));
      must(
        delivered.some(({ accepted }) => accepted),
        'the gateway accepted no message',
      );
      must(
        delivered.every(({ to: number, text }) => number === phone && text.includes(card?.code ?? '?')),
        'a wrong message went out',
      );
    }
  }

  async #rows<Row extends pg.QueryResultRow>(sql: string, params: unknown[] = []): Promise<Row[]> {
    return (await this.#seen.owner.query<Row>(sql, params)).rows;
  }
}

function orderOf(said: Said | Ignored): bigint {
  return 'ignored' in said ? 2n ** 64n : (said.clickId ?? 0n);
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
