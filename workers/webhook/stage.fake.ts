import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { openDatabase } from '../../packages/shared/db/client.ts';
import { audit } from '../../packages/shared/db/queries/audit.ts';
import type { Database } from '../../packages/shared/db/types.ts';
import { fixedClock, seededRandom } from '../../packages/shared/domain/chance.fake.ts';
import { mintClickId, mintId } from '../../packages/shared/domain/click-id.ts';
import type { IntakeSettings } from '../../packages/shared/domain/intake.ts';
import { readNetworkRow, readPostback } from '../../packages/shared/domain/postback.ts';
import type { TestDatabase } from '../../tests/support/postgres.ts';
import type { IntakeCounts, Taken } from './intake-batch.ts';
import { takeEvents } from './ledger-consumer.ts';

export const SETTINGS: IntakeSettings = { currency: 'INR', attributionWindowDays: 90, fee: 0n };

let offers = 20_000 + Math.floor(Math.random() * 1_000_000);

/** A tenant with a link to an offer of its own, and what drives conversions through it; times start at noon of 2026-11-01. */
export async function stage(
  database: TestDatabase,
  options: { pct?: string; share?: string; coolOffDays?: number; currency?: string } = {},
) {
  const owner = new pg.Client({ connectionString: database.owner });
  await owner.connect();
  const clock = fixedClock('2026-11-01T12:00:00Z');
  const random = seededRandom(Math.floor(Math.random() * 2 ** 32));
  const offerId = offers++;
  const [tenantId, campaignId, linkId, creatorId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const at = new Date(clock.now());
  const phone = (): string => `+9198${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`;
  await owner.query('insert into tenants (tenant_id, name, trackier_pid, created_at) values ($1, $2, $3, $4)', [
    tenantId,
    'Stage',
    `pid-${offerId}`,
    at,
  ]);
  await owner.query('insert into users (user_id, phone, created_at) values ($1, $2, $3)', [creatorId, phone(), at]);
  await owner.query(`insert into tenant_members (tenant_id, user_id, role, created_at) values ($1, $2, 'owner', $3)`, [
    tenantId,
    creatorId,
    at,
  ]);
  await owner.query(
    `insert into offers (offer_id, brand, title, merchant, model, currency, base_commission_pct, cool_off_days, tracking_link, synced_at)
     values ($1, 'Brand', 'Title', $2, 'cps', $3, $4, $5, 'https://network.example/click', $6)`,
    [offerId, `merchant-${offerId}`, options.currency ?? 'INR', options.pct ?? '10.00', options.coolOffDays ?? 30, at],
  );
  await owner.query(
    `insert into campaigns (campaign_id, tenant_id, name, share_pct, created_at) values ($1, $2, 'Campaign', $3, $4)`,
    [campaignId, tenantId, options.share ?? '50.00', at],
  );
  await owner.query(
    'insert into links (link_id, tenant_id, campaign_id, offer_id, slug, created_at) values ($1, $2, $3, $4, $5, $6)',
    [linkId, tenantId, campaignId, offerId, `s${offerId}`, at],
  );

  const newUser = async (): Promise<string> => {
    const userId = randomUUID();
    await owner.query('insert into users (user_id, phone, created_at) values ($1, $2, $3)', [userId, phone(), at]);
    return userId;
  };
  /** A visitor, of a shopper's or nobody's. */
  const newVisitor = async (userId: string | null): Promise<string> => {
    const visitorId = randomUUID();
    await owner.query('insert into visitors (visitor_id, user_id, created_at, bound_at) values ($1, $2, $3, $4)', [
      visitorId,
      userId,
      at,
      userId === null ? null : at,
    ]);
    return visitorId;
  };
  const newClick = (visitorId: string | null): Click => ({
    kind: 'reference',
    clickId: mintClickId(clock, random),
    linkId,
    visitorId,
  });
  /** A click that the click consumer has stored. */
  const storedClick = async (visitorId: string | null, country: string | null = null): Promise<Click> => {
    const click = newClick(visitorId);
    await owner.query(
      `insert into clicks (click_id, created_at, tenant_id, link_id, visitor_id, country, source) values ($1, id_time($1), $2, $3, $4, $5, 'edge')`,
      [click.clickId, tenantId, linkId, visitorId, country],
    );
    return click;
  };
  /** An event as the consumer gets it; every call is a postback of its own. */
  const event = (
    click: Click | null,
    say: Record<string, string> = {},
    source: 'postback' | 'poll' = 'postback',
  ): Taken => {
    const words = {
      click_id: 'reference',
      p1: 'reference',
      offer_id: String(offerId),
      campaign_id: String(offerId),
      status: 'approved',
      ...say,
      ...('_id' in say && { _id: `${offerId}-${say._id}` }), // the network's ids are unique over all tests
    };
    const raw: Record<string, string> = source === 'postback' ? { sale_amount: '1000.00', ...words } : words;
    const reading = source === 'postback' ? readPostback(raw) : readNetworkRow(raw);
    if (!reading.ok) throw new Error(`the test's event cannot be read: ${reading.reason}`);
    clock.advance(1);
    const postbackId = mintId(clock, random);
    return {
      postbackId,
      receivedAt: clock.now(),
      mayRaise: source !== 'postback',
      report: reading.report,
      click,
      source,
      raw,
    };
  };
  const worker = (): Database => openDatabase({ connectionString: database.webhook });
  const db = worker();
  const take = (...events: Taken[]): Promise<IntakeCounts> => takeOn(db, ...events);
  const takeOn = (on: Database, ...events: Taken[]): Promise<IntakeCounts> =>
    on.transaction((tx) => takeEvents(tx, { events, ignored: [] }, { settings: SETTINGS, random, now: clock.now() }));
  const rows = async <Row extends pg.QueryResultRow>(sql: string, params: unknown[] = []): Promise<Row[]> =>
    (await owner.query<Row>(sql, params)).rows;
  const ledger = (): Promise<LedgerView[]> =>
    rows<LedgerView>(
      'select conv_id, seq, user_amount, creator_amount, status, reason, user_id from ledger where tenant_id = $1 order by conv_id, seq',
      [tenantId],
    );
  const balance = async (account: string): Promise<string> =>
    (
      await rows<{ sum: string }>(
        'select coalesce(sum(amount), 0)::numeric(14,2)::text as sum from journal_entries where tenant_id = $1 and account like $2',
        [tenantId, account],
      )
    )[0]?.sum ?? '';
  const breaches = async () => {
    const asOwner = openDatabase({ connectionString: database.owner });
    const found = await asOwner.transaction((tx) => audit(tx));
    await asOwner.end();
    return found;
  };
  const end = async (): Promise<void> => {
    await db.end();
    await owner.end();
  };
  return {
    owner,
    clock,
    random,
    offerId,
    tenantId,
    campaignId,
    linkId,
    creatorId,
    newUser,
    newVisitor,
    newClick,
    storedClick,
    event,
    worker,
    db,
    take,
    takeOn,
    rows,
    ledger,
    balance,
    breaches,
    end,
  };
}

export type Click = { kind: 'reference'; clickId: bigint; linkId: string; visitorId: string | null };
export type LedgerView = {
  conv_id: string;
  seq: number;
  user_amount: string;
  creator_amount: string;
  status: string;
  reason: string | null;
  user_id: string | null;
};
