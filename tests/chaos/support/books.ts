import { openDatabase } from '@hissaback/shared/db/client';
import { audit, INVARIANTS } from '@hissaback/shared/db/queries/audit';
import pg from 'pg';

const TENANT = 'bbbbbbbb-0000-4000-8000-000000000001';
// The others are about how a reward came to be, which a seeded one did not.
const CHECKED = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I10'];

export type Card = { creationRequestId: string; gcId: string; claimCode: string; amount: string; status: string };
type Message = { to: string; text: string; kind: string };

/** The books of one tenant, and the world's own lists to compare them with. */
export class Books {
  readonly #databaseUrl: string;
  readonly #sandbox: { agcod: string; sms: string };
  #seeded = 0;

  constructor(databaseUrl: string, sandbox: { agcod: string; sms: string }) {
    this.#databaseUrl = databaseUrl;
    this.#sandbox = sandbox;
  }

  /** Number of shoppers that must have been paid in the end. */
  get seeded(): number {
    return this.#seeded;
  }

  /** More shoppers, each with one released reward of an amount of its own. */
  async seed(count: number): Promise<void> {
    const [from, to] = [this.#seeded + 1, this.#seeded + count];
    const user = `('aaaaaaaa-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid`;
    const amount = '(100 + n)::numeric(14,2)';
    const numbers = `generate_series(${from}, ${to}) as n`;
    const id = `'${TENANT}'::uuid`;
    const at = `date_trunc('hour', now())`;
    await this.#sql(`
      insert into tenants (tenant_id, name, created_at) values (${id}, 'Chaos', now()) on conflict do nothing;
      insert into offers (offer_id, brand, title, merchant, model, currency, base_commission_pct, tracking_link, synced_at)
        values (1, 'B', 'T', 'm', 'cps', 'INR', 10, 'https://n.example/click', now()) on conflict do nothing;
      insert into campaigns (campaign_id, tenant_id, name, share_pct, created_at) values (${id}, ${id}, 'C', 50, now()) on conflict do nothing;
      insert into links (link_id, tenant_id, campaign_id, offer_id, slug, created_at) values (${id}, ${id}, ${id}, 1, 'chaos', now()) on conflict do nothing;
      insert into users (user_id, phone, created_at) select ${user}, '+9198' || lpad(n::text, 8, '0'), now() from ${numbers};
      insert into conversion_identities (conv_id, tenant_id, occurred_at, click_id, link_id, offer_id, status, order_value, net_commission, changed_at)
        select n::bigint << 22, ${id}, ${at}, n::bigint << 22, ${id}, 1, 'approved', 1000, ${amount}, ${at} from ${numbers};
      insert into ledger (led_id, tenant_id, created_at, conv_id, user_id, currency, user_pct, user_amount, creator_amount, status, release_at, status_at)
        select n::bigint << 22, ${id}, ${at}, n::bigint << 22, ${user}, 'INR', 100, ${amount}, 0, 'confirmed', ${at}, ${at} from ${numbers};
      insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
        select 'c' || (n::bigint << 22) || '.accrual', line.account, line.amount, 'INR', ${id}, 'accrual', ${at} from ${numbers}
        cross join lateral (values ('network:' || ${id}, -${amount}), ('shopper:available:' || ${id} || ':' || ${user}, ${amount})) as line(account, amount);
      insert into payee_accounts (tenant_id, side, payee, currency, available) select ${id}, 'shopper', ${user}, 'INR', ${amount} from ${numbers};`);
    this.#seeded = to;
  }

  /** The codes of all cards that were ever made. */
  async codes(): Promise<Set<string>> {
    return new Set((await this.#cards()).map(({ claimCode }) => claimCode));
  }

  /** Changes with each step of each payout. */
  async steps(): Promise<number> {
    const [row] = await this.#sql(
      `select (count(*) + coalesce(sum(attempts + sms_attempts), 0) + count(gc_id) + count(paid_at))::int as steps from payouts`,
    );
    return Number(row?.steps);
  }

  async paid(): Promise<number> {
    const [row] = await this.#sql(`select count(*)::int as paid from payouts where status = 'paid'`);
    return Number(row?.paid);
  }

  /** Time passes for payouts: leases of the dead end, and whatever waits is due. */
  async letTimePass(): Promise<void> {
    await this.#sql(
      `update payouts set next_attempt_at = now() where status in ('queued', 'sending', 'issued', 'held', 'error_soft') and next_attempt_at > now()`,
    );
  }

  /** What does not agree, card by card; empty when everything does. */
  async disagreements(): Promise<string[]> {
    const payouts = await this.#sql(
      `select p.payout_id, p.creation_request_id as id, p.amount::text, p.status, p.gc_id, p.voucher_code, u.phone,
         (select string_agg(j.kind || ' ' || j.amount, ',' order by j.kind) from journal_entries j
          where j.event_id in ('p' || p.payout_id || '.issue', 'p' || p.payout_id || '.reservation') and j.account ~ '^(vouchers|shopper:available):') as journal
       from payouts p join users u on u.user_id = p.user_id`,
    );
    const cards = new Map<string, Card>();
    const found: string[] = [];
    for (const card of await this.#cards()) {
      if (cards.has(card.creationRequestId)) found.push(`two cards of ${card.creationRequestId}`);
      cards.set(card.creationRequestId, card);
    }
    const messages = await this.#messages();
    for (const payout of payouts) {
      const card = cards.get(payout.id ?? '');
      const said = `payout ${payout.payout_id} ${payout.status}`;
      if (payout.status !== 'paid' || payout.voucher_code !== null)
        found.push(`${said}: not paid, or its code is kept`);
      if (card?.status !== 'Fulfilled') found.push(`${said}: no card`);
      if (card?.amount !== payout.amount || card?.gcId !== payout.gc_id) found.push(`${said}: another card`);
      if (payout.journal !== `issue ${payout.amount},reservation -${payout.amount}`)
        found.push(`${said}: the journal has ${payout.journal}`);
      const texts = messages
        .filter(({ to, kind }) => to === payout.phone && kind === 'voucher')
        .map(({ text }) => text);
      if (texts.length === 0 || texts.some((text) => !text.includes(card?.claimCode ?? '-')))
        found.push(`${said}: ${texts.length} messages, not all with its code`);
      cards.delete(payout.id ?? '');
    }
    if (payouts.length !== this.#seeded) found.push(`${payouts.length} payouts for ${this.#seeded} shoppers`);
    for (const id of cards.keys()) found.push(`a card without payout: ${id}`);
    return [...found, ...(await this.#breaches())];
  }

  async #breaches(): Promise<string[]> {
    const db = openDatabase({ connectionString: this.#databaseUrl });
    try {
      const invariants = INVARIANTS.filter(({ name }) => CHECKED.includes(name));
      const breaches = await db.transaction((tx) => audit(tx, invariants));
      return breaches.flatMap(({ invariant, examples }) => examples.map((example) => `${invariant} ${example}`));
    } finally {
      await db.end();
    }
  }

  async #cards(): Promise<Card[]> {
    const answer = await fetch(`${this.#sandbox.agcod}/__control/cards`);
    return ((await answer.json()) as { cards: Card[] }).cards;
  }

  async #messages(): Promise<Message[]> {
    return (await (await fetch(`${this.#sandbox.sms}/messages`)).json()) as Message[];
  }

  async #sql(text: string): Promise<Record<string, string | null>[]> {
    const client = new pg.Client({ connectionString: this.#databaseUrl });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const result = await client.query(text);
      return Array.isArray(result) ? [] : result.rows;
    } finally {
      await client.end();
    }
  }
}
