import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '@hissaback/shared/db/client';
import { audit, INVARIANTS } from '@hissaback/shared/db/queries/audit';
import { recordDeliveryReports } from '@hissaback/shared/db/queries/delivery-reports';
import {
  type AgcodGate,
  acquireSlot,
  breakerPageSent,
  claimBreakerPage,
  type GateState,
  gateStatus,
  NEW_GATE,
  reportAnswer,
  withdrawFirstCall,
} from '@hissaback/shared/domain/agcod-gate';
import type { Random } from '@hissaback/shared/domain/chance';
import { type FixedClock, fixedClock, seededRandom } from '@hissaback/shared/domain/chance.fake';
import { readDeliveryReports } from '@hissaback/shared/domain/delivery-report';
import pg from 'pg';
import { startAgcod } from '../../sandbox/agcod/server.ts';
import type { Running } from '../../sandbox/kit/http.ts';
import { startPager } from '../../sandbox/pager/server.ts';
import { startSms } from '../../sandbox/sms/server.ts';
import { createTestDatabase, type TestDatabase, type TestServer } from '../../tests/support/postgres.ts';
import type { PayoutDeps, PayoutSettings } from './deps.ts';
import type { EvidenceBucket } from './intents.ts';
import { oneAtATime } from './one-at-a-time.ts';

export const PARTNER = 'Hissa';
const START = '2026-11-10T06:00:00Z';
const ROUTING_KEY = 'r'.repeat(32);
const CREDENTIALS = { accessKeyId: 'AKIATEST', secretAccessKey: 'test-secret' };

/** A gate whose rules are the real ones, kept in memory. */
export class MemoryGate implements AgcodGate {
  state: GateState = NEW_GATE;

  async acquire(...given: Parameters<AgcodGate['acquire']>) {
    return this.#change((state) => acquireSlot(state, ...given));
  }
  async withdraw(...given: Parameters<AgcodGate['withdraw']>) {
    this.state = withdrawFirstCall(this.state, ...given);
  }
  async report(...given: Parameters<AgcodGate['report']>) {
    return this.#change((state) => reportAnswer(state, ...given));
  }
  async status(now: number) {
    return gateStatus(this.state, now);
  }
  async claimPage(now: number) {
    return this.#change((state) => claimBreakerPage(state, now));
  }
  async pageSent() {
    this.state = breakerPageSent(this.state);
  }

  #change<Answer>(step: (state: GateState) => [GateState, Answer]): Answer {
    const [after, answer] = step(this.state);
    this.state = after;
    return answer;
  }
}

/** The part of R2 that evidence needs: create-only puts, lists by prefix. */
export class MemoryBucket implements EvidenceBucket {
  readonly objects = new Map<string, string>();
  isDown = false;

  async put(key: string, value: string): Promise<unknown> {
    if (this.isDown) throw new Error('R2 is down');
    if (this.objects.has(key)) return null;
    this.objects.set(key, value);
    return { key };
  }
  async get(key: string) {
    const value = this.objects.get(key);
    return value === undefined ? null : { text: async () => value };
  }
  async list({ prefix }: { prefix: string }) {
    const objects = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).map((key) => ({ key }));
    return { objects, truncated: false };
  }
}

// The others are about how a reward came to be, which a seeded one did not.
const CHECKED = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I10'];
const TABLES = [
  'notifications',
  'notification_preferences',
  'kill_switches',
  'operators',
  'tenant_members',
  'audit_log',
  'creator_kyc_holds',
  'voucher_messages',
  'reward_cover',
  'payout_items',
  'payouts',
  'journal_entries',
  'payee_accounts',
  'ledger',
  'conversion_identities',
  'schedule_runs',
  'links',
  'campaigns',
  'tenants',
  'users',
];

export type PayoutRow = {
  payout_id: string;
  tenant_id: string;
  payee: string;
  amount: string;
  status: string;
  attempts: number;
  creation_request_id: string;
  card_may_exist: boolean;
  gc_id: string | null;
  voucher_code: string | null;
  sms_attempts: number;
  error_type: string | null;
  next_attempt_at: Date;
  intent_stored_at: Date | null;
};
export type Card = { creationRequestId: string; gcId: string; claimCode: string; amount: string; status: string };
export type AgcodCall = { op: string; creationRequestId: string; amount: string; outcome: string; at: string };
export type Shopper = { tenantId: string; userId: string; phone: string };

/** Everything a payout run meets, on one movable clock. */
export class Stage {
  readonly clock: FixedClock = fixedClock(START);
  readonly random: Random = seededRandom(7);
  readonly gate = new MemoryGate();
  readonly evidence = new MemoryBucket();
  readonly database: TestDatabase;
  readonly owner: pg.Client;
  settings: PayoutSettings;
  readonly #dir: string;
  readonly #running: { agcod: Running; sms: Running; pager: Running };
  readonly #open: Database[] = [];
  #count = 0;

  private constructor(
    database: TestDatabase,
    owner: pg.Client,
    dir: string,
    running: { agcod: Running; sms: Running; pager: Running },
  ) {
    this.database = database;
    this.owner = owner;
    this.#dir = dir;
    this.#running = running;
    this.settings = settingsFor(running.agcod.url, running.sms.url, running.pager.url);
  }

  static async open(server: TestServer, agcod: { callsPerSecond?: number } = {}): Promise<Stage> {
    const database = await createTestDatabase(server);
    const owner = new pg.Client({ connectionString: database.owner });
    await owner.connect();
    await owner.query('select ensure_partitions($1, 3, 3)', [START]);
    const dir = mkdtempSync(join(tmpdir(), 'hissaback-payout-'));
    // The stand-ins tell the time by the stage's clock, which exists only once the stage does.
    let stage: Stage | undefined;
    const clock = { now: () => stage?.clock.now() ?? Date.parse(START) };
    const running = {
      agcod: await startAgcod({
        dir,
        clock,
        credentials: CREDENTIALS,
        partnerId: PARTNER,
        callsPerSecond: agcod.callsPerSecond ?? 0,
        fundsCallsPerSecond: 0,
      }),
      sms: await startSms({ dir, clock, authKey: 'sms-key' }),
      pager: await startPager({ dir, clock, routingKey: ROUTING_KEY }),
    };
    stage = new Stage(database, owner, dir, running);
    return stage;
  }

  async close(): Promise<void> {
    await this.#endRuns();
    await this.owner.end();
    await this.database.drop();
    for (const sandbox of Object.values(this.#running)) await sandbox.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** As it was when it opened; quicker than a new one. */
  async reset(): Promise<void> {
    await this.#endRuns();
    // History cannot be deleted, unless triggers and foreign keys sleep.
    await this.owner.query(`set session_replication_role = replica; ${TABLES.map((t) => `delete from ${t}`).join('; ')};
      reset session_replication_role`);
    for (const sandbox of ['agcod', 'sms', 'pager'] as const) await this.control(sandbox, 'reset', {});
    this.gate.state = NEW_GATE;
    this.evidence.objects.clear();
    this.evidence.isDown = false;
    this.clock.set(Date.parse(START));
    const { agcod, sms, pager } = this.#running;
    this.settings = settingsFor(agcod.url, sms.url, pager.url);
  }

  async #endRuns(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((db) => db.end()));
  }

  /** The dependencies of one run, on a connection of its own as hissaback_payout. */
  deps(changes: Partial<PayoutDeps> = {}): PayoutDeps {
    const db = openDatabase({ connectionString: this.database.payout });
    this.#open.push(db);
    return {
      db: oneAtATime(db),
      settings: this.settings,
      gate: this.gate,
      evidence: this.evidence,
      clock: this.clock,
      random: this.random,
      fetch: (input, init) => fetch(input, init),
      sleep: async (milliseconds) => this.clock.advance(milliseconds),
      ...changes,
    };
  }

  /** One run of a schedule, its connection closed afterwards. */
  async run<T>(schedule: (deps: PayoutDeps) => Promise<T>, changes: Partial<PayoutDeps> = {}): Promise<T> {
    const deps = this.deps(changes);
    try {
      return await schedule(deps);
    } finally {
      await deps.db.end();
    }
  }

  /** A shopper of a tenant (a new one unless given) with a phone of their own. */
  async shopper(given: { tenantId?: string; language?: string } = {}): Promise<Shopper> {
    this.#count += 1;
    const tenantId = given.tenantId ?? (await this.tenant());
    const userId = uuid('a', this.#count);
    const phone = `+9198${String(this.#count).padStart(8, '0')}`;
    await this.owner.query('insert into users (user_id, phone, language, created_at) values ($1, $2, $3, $4)', [
      userId,
      phone,
      given.language ?? 'en',
      START,
    ]);
    return { tenantId, userId, phone };
  }

  /** A tenant with the one campaign and link that every reward of it comes from. */
  async tenant(): Promise<string> {
    this.#count += 1;
    const id = uuid('b', this.#count);
    await this.owner.query('insert into tenants (tenant_id, name, created_at) values ($1, $2, $3)', [
      id,
      'Tenant',
      START,
    ]);
    await this.owner.query(
      `insert into offers (offer_id, brand, title, merchant, model, currency, base_commission_pct, tracking_link, synced_at)
       values (1, 'B', 'T', 'm', 'cps', 'INR', 10, 'https://n.example/click', $1) on conflict do nothing`,
      [START],
    );
    await this.owner.query(
      'insert into campaigns (campaign_id, tenant_id, name, share_pct, created_at) values ($1, $1, $2, 50, $3)',
      [id, 'Campaign', START],
    );
    await this.owner.query(
      `insert into links (link_id, tenant_id, campaign_id, offer_id, slug, created_at) values ($1, $1, $1, 1, $2, $3)`,
      [id, `s${this.#count}`, START],
    );
    return id;
  }

  /** A released reward, with all its rows and postings; each further amount is an amendment. Decimal strings. Answers the conversion's id. */
  async reward(shopper: Shopper, ...amounts: string[]): Promise<bigint> {
    return this.#released(shopper, 'shopper', amounts);
  }

  /** The same, with the creator's part only; of a shopper of that tenant. */
  async earning(shopper: Shopper, ...amounts: string[]): Promise<bigint> {
    return this.#released(shopper, 'creator', amounts);
  }

  async #released(shopper: Shopper, side: 'shopper' | 'creator', amounts: string[]): Promise<bigint> {
    this.#count += 1;
    const conv = BigInt(this.#count) << 22n;
    const { tenantId, userId } = shopper;
    const payee = side === 'shopper' ? userId : tenantId;
    const total = `(${amounts.join(' + ')})`;
    await this.owner.query(
      `insert into conversion_identities (conv_id, tenant_id, occurred_at, click_id, link_id, offer_id, status, order_value,
         net_commission, changed_at) values ($1, $2, $3, $1, $2, 1, 'approved', 1000, ${total}, $3)`,
      [conv, tenantId, START],
    );
    for (const [seq, amount] of amounts.entries()) {
      await this.owner.query(
        `insert into ledger (led_id, tenant_id, created_at, conv_id, seq, user_id, currency, user_pct, user_amount, creator_amount,
           status, release_at, status_at) values ($1, $2, $3, $4, $5, $6, 'INR', $8, $7, $9, 'confirmed', $3, $3)`,
        [
          ...[conv + BigInt(seq), tenantId, START, conv, seq, userId],
          ...(side === 'shopper' ? [amount, 100, 0] : [0, 0, amount]),
        ],
      );
    }
    await this.owner.query(
      `insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
       values ($1, 'network:' || $2, -${total}, 'INR', $2::uuid, 'accrual', $4),
              ($1, '${side}:available:' || $2 || ':' || $3, ${total}, 'INR', $2::uuid, 'accrual', $4)`,
      [`c${conv}.accrual`, tenantId, payee, START],
    );
    await this.owner.query(
      `insert into payee_accounts (tenant_id, side, payee, currency, available) values ($1, '${side}', $2, 'INR', ${total})
       on conflict (tenant_id, side, payee, currency) do update set available = payee_accounts.available + excluded.available`,
      [tenantId, payee],
    );
    return conv;
  }

  /** The owner of a tenant, who receives what the creator is paid; the oldest one is who counts. */
  async ownerOf(tenantId: string, since = START): Promise<Shopper> {
    const owner = await this.shopper({ tenantId });
    await this.owner.query(
      'insert into tenant_members (tenant_id, user_id, role, created_at) values ($1, $2, $3, $4)',
      [tenantId, owner.userId, 'owner', since],
    );
    return owner;
  }

  async operator(): Promise<string> {
    const { userId } = await this.shopper({ tenantId: '' });
    await this.owner.query('insert into operators (user_id, created_at) values ($1, $2)', [userId, START]);
    return userId;
  }

  /** So many shoppers of a tenant, each with one released reward of the amount; set-based, for tests of many. */
  async manyRewards(tenantId: string, count: number, amount: string): Promise<void> {
    const first = this.#count + 1;
    this.#count += count;
    const user = `('cccccccc-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid`;
    const numbers = `generate_series(${first}, ${first + count - 1}) as n`;
    const [at, id] = [`timestamptz '${START}'`, `'${tenantId}'::uuid`];
    await this.owner.query(`
      insert into users (user_id, phone, created_at) select ${user}, '+9197' || lpad(n::text, 8, '0'), ${at} from ${numbers};
      insert into conversion_identities (conv_id, tenant_id, occurred_at, click_id, link_id, offer_id, status, order_value, net_commission, changed_at)
        select n::bigint << 22, ${id}, ${at}, n::bigint << 22, ${id}, 1, 'approved', 1000, ${amount}, ${at} from ${numbers};
      insert into ledger (led_id, tenant_id, created_at, conv_id, user_id, currency, user_pct, user_amount, creator_amount, status, release_at, status_at)
        select n::bigint << 22, ${id}, ${at}, n::bigint << 22, ${user}, 'INR', 100, ${amount}, 0, 'confirmed', ${at}, ${at} from ${numbers};
      insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
        select 'c' || (n::bigint << 22) || '.accrual', line.account, line.amount, 'INR', ${id}, 'accrual', ${at} from ${numbers}
        cross join lateral (values ('network:' || ${id}, -${amount}), ('shopper:available:' || ${id} || ':' || ${user}, ${amount})) as line(account, amount);
      insert into payee_accounts (tenant_id, side, payee, currency, available)
        select ${id}, 'shopper', ${user}, 'INR', ${amount} from ${numbers};`);
  }

  /** What was written down, oldest first. */
  async auditLog(): Promise<{ actor: string; action: string; subject: string; reason: string | null }[]> {
    const { rows } = await this.owner.query('select actor, action, subject, reason from audit_log order by audit_id');
    return rows;
  }

  async payouts(): Promise<PayoutRow[]> {
    const { rows } = await this.owner.query<PayoutRow>('select * from payouts order by created_at, payout_id');
    return rows;
  }

  async onlyPayout(): Promise<PayoutRow> {
    const [payout, another] = await this.payouts();
    if (payout === undefined || another !== undefined) throw new Error('expected exactly one payout');
    return payout;
  }

  /** A tenant's account as a creator. */
  async creator(tenantId: string): Promise<{ available: string; reserved: string; receivable: string }> {
    return this.account({ tenantId, userId: tenantId, phone: '' });
  }

  async account(shopper: Shopper): Promise<{ available: string; reserved: string; receivable: string }> {
    const { rows } = await this.owner.query(
      'select available, reserved, receivable from payee_accounts where tenant_id = $1 and payee = $2',
      [shopper.tenantId, shopper.userId],
    );
    return rows[0];
  }

  async ledgerStatuses(conv: bigint): Promise<string[]> {
    const { rows } = await this.owner.query('select status from ledger where conv_id = $1 order by seq', [conv]);
    return rows.map(({ status }) => status);
  }

  async cards(): Promise<Card[]> {
    return (await this.#ask<{ cards: Card[] }>('agcod', '/__control/cards')).cards;
  }

  /** All calls that reached AGCOD, in order. */
  async operations(): Promise<AgcodCall[]> {
    return (await this.#ask<{ calls: AgcodCall[] }>('agcod', '/__control/calls')).calls;
  }

  /** All CreateGiftCard calls that reached AGCOD, in order. */
  async calls(): Promise<AgcodCall[]> {
    return (await this.operations()).filter(({ op }) => op === 'CreateGiftCard');
  }

  async messages(shopper: Shopper): Promise<{ id: string; text: string; kind: string; reference: string }[]> {
    return this.#ask('sms', `/__control/messages?to=${encodeURIComponent(shopper.phone)}`);
  }

  /** What the SMS gateway tells the webhook worker. */
  async reports(body: unknown): Promise<number> {
    const db = openDatabase({ connectionString: this.database.webhook });
    try {
      return await db.transaction((tx) => recordDeliveryReports(tx, readDeliveryReports(body) ?? [], this.clock.now()));
    } finally {
      await db.end();
    }
  }

  async pages(): Promise<{ dedup_key: string; event_action: string }[]> {
    return (await this.#ask<{ events: { dedup_key: string; event_action: string }[] }>('pager', '/__control/events'))
      .events;
  }

  async fault(sandbox: 'agcod' | 'sms' | 'pager', fault: Record<string, unknown>): Promise<void> {
    await this.control(sandbox, 'faults', fault);
  }

  async control(sandbox: 'agcod' | 'sms' | 'pager', path: string, body: Record<string, unknown>): Promise<void> {
    const url = `${this.#running[sandbox].url}/__control/${path}`;
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${url}: ${await answer.text()}`);
  }

  /** What must hold after every fault, the cards at AGCOD included (I9); answers what does not. */
  async broken(): Promise<string[]> {
    const invariants = INVARIANTS.filter(({ name }) => CHECKED.includes(name));
    const breaches = await this.run(({ db }) => db.transaction((tx) => audit(tx, invariants)));
    const items = await this.owner.query<{ broken: string }>(`
      select 'items of ' || p.payout_id as broken from payouts p where p.status not in ('cancelled', 'error_hard')
        and p.amount <> (select sum(i.amount) from payout_items i where i.payout_id = p.payout_id and i.returned_at is null)`);
    const live = (await this.cards())
      .filter(({ status }) => status === 'Fulfilled')
      .map((card) => card.creationRequestId);
    const payouts = await this.payouts();
    const bought = payouts.filter(({ status }) => status === 'issued' || status === 'paid');
    const unknown = payouts.filter(({ status }) => ['sending', 'held', 'error_soft'].includes(status));
    const explained = [...bought, ...unknown].map((payout) => payout.creation_request_id);
    return [
      ...breaches.flatMap(({ invariant, examples }) => examples.map((example) => `${invariant} ${example}`)),
      ...items.rows.map(({ broken }) => broken),
      ...live.filter((id) => !explained.includes(id)).map((id) => `I9 card without payout ${id}`),
      ...bought
        .filter((p) => !live.includes(p.creation_request_id))
        .map((p) => `I9 payout without card ${p.payout_id}`),
    ];
  }

  async #ask<T>(sandbox: 'agcod' | 'sms' | 'pager', path: string): Promise<T> {
    const answer = await fetch(this.#running[sandbox].url + path);
    return (await answer.json()) as T;
  }
}

function settingsFor(agcod: string, sms: string, pager: string): PayoutSettings {
  return {
    AGCOD_ENDPOINT: agcod,
    AGCOD_REGION: 'eu-west-1',
    AGCOD_CURRENCY: 'INR',
    AGCOD_PARTNER_ID: PARTNER,
    AGCOD_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AGCOD_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    SMS_ENDPOINT: sms,
    SMS_SENDER: 'HISSBK',
    SMS_AUTH_KEY: 'sms-key',
    DLT_ENTITY_ID: '1',
    DLT_TEMPLATE_VOUCHER: 'voucher-en',
    DLT_TEMPLATE_VOUCHER_HI: 'voucher-hi',
    PAGER_ENDPOINT: pager,
    PAGER_ROUTING_KEY: ROUTING_KEY,
    PAYOUT_MINIMUM: '100.00',
    KYC_YEARLY_LIMIT: '',
    CREATOR_PAYOUT_MINIMUM: '500.00',
    CREATOR_KYC_YEARLY_LIMIT: '',
    CREATOR_PAYOUT_DAY: '1',
    NOTIFICATIONS: 'off',
    NOTIFICATION_HOURS: '9-21',
    DLT_TEMPLATE_TRACKED: 'tracked-en',
    DLT_TEMPLATE_TRACKED_HI: 'tracked-hi',
    DLT_TEMPLATE_CONFIRMED: 'confirmed-en',
    DLT_TEMPLATE_CONFIRMED_HI: '',
    DLT_TEMPLATE_PAID: 'paid-en',
    DLT_TEMPLATE_PAID_HI: '',
    DLT_TEMPLATE_REVERSED: 'reversed-en',
    DLT_TEMPLATE_REVERSED_HI: '',
    VOUCHER_MAXIMUM: '10000.00',
    VOUCHER_MINIMUM: '1.00',
    VOUCHER_STEP: '1.00',
    PAYOUT_RUN_SECONDS: '25',
    AGCOD_PROBE_SECONDS: '300',
    FUNDS_ALERT_BELOW: '10000.00',
    RELEASE_REQUIRES_POLL: 'false',
    VOUCHER_KEYS: `1:${'A'.repeat(43)}`,
  };
}

function uuid(letter: string, number: number): string {
  return `${letter.repeat(8)}-0000-4000-8000-${String(number).padStart(12, '0')}`;
}
