import { openDatabase } from '@hissaback/shared/db/client';
import { audit } from '@hissaback/shared/db/queries/audit';
import { expect } from 'vitest';
import type { Platform } from './platform.ts';

/** What must hold once things are quiet: the audit's invariants, and I9, which asks AGCOD's own journal. */
export async function expectCleanBooks(on: Platform): Promise<void> {
  await on.quiet();
  const db = openDatabase({ connectionString: on.stack.database.owner });
  try {
    expect(await db.transaction((tx) => audit(tx))).toEqual([]);
  } finally {
    await db.end();
  }
  await expectOneCardEach(on);
}

/** I9: cards at AGCOD = payouts issued, paid, or asked for with an unknown outcome; each card of its payout's own amount. */
async function expectOneCardEach(on: Platform): Promise<void> {
  const cards = (await on.cards()).filter(({ status }) => status === 'Fulfilled');
  const rows = await on.sql(
    `select creation_request_id as id, amount, gc_id, status from payouts
     where status in ('issued', 'paid') or card_may_exist`,
  );
  const payouts = new Map(rows.map((row) => [row.id, row]));
  const stray = cards.filter(({ creationRequestId, amount, gcId }) => {
    const payout = payouts.get(creationRequestId);
    return payout?.amount !== amount || (payout.gc_id !== null && payout.gc_id !== gcId);
  });
  expect(stray, 'cards that no payout stands for').toEqual([]);
  const bought = new Set(cards.map(({ creationRequestId }) => creationRequestId));
  const missing = rows.filter(({ id, status }) => (status === 'issued' || status === 'paid') && !bought.has(id ?? ''));
  expect(missing, 'payouts whose card does not exist').toEqual([]);
  expect(bought.size, 'one card for one id').toBe(cards.length);
}

/** A conversion with its reward, by the order id; null until there is one. */
export type Sale = {
  conv_id: string;
  conversion_status: string;
  order_value: string;
  net_commission: string;
  user_amount: string;
  creator_amount: string;
  status: string;
  reason: string | null;
  user_id: string | null;
  fraud_score: string;
  fraud_rules: string;
};

/** The sale of an order as the books have it now; null while they do not have it. Two sales of one order fail. */
export async function saleOf(on: Platform, order: string): Promise<Sale | null> {
  const sales = await salesOf(on, order);
  expect(sales.length, `conversions of order ${order}`).toBeLessThanOrEqual(1);
  return sales[0] ?? null;
}

export async function salesOf(on: Platform, order: string): Promise<Sale[]> {
  const rows = await on.sql(
    `select c.conv_id, i.status as conversion_status, c.order_value, i.net_commission, l.user_amount, l.creator_amount, l.status, l.reason,
       l.user_id, c.fraud_score, c.fraud_rules
     from conversion_identities i
     join conversions c on c.conv_id = i.conv_id and c.created_at = i.occurred_at
     join ledger l on l.conv_id = i.conv_id and l.tenant_id = i.tenant_id and l.created_at = i.occurred_at and l.seq = 0
     where i.txn_id = $1 order by c.conv_id`,
    [order],
  );
  return rows as unknown as Sale[];
}

export type Unmatched = { reason: string; status: string; raw: Record<string, string> };

/** What was kept of an order that became no conversion. */
export async function unmatchedOf(on: Platform, order: string): Promise<Unmatched[]> {
  const rows = await on.sql(
    `select reason, status, raw::text from unmatched_conversions where raw ->> 'txn_id' = $1 order by unmatched_id`,
    [order],
  );
  return rows.map(({ reason, status, raw }) => ({
    reason: reason ?? '',
    status: status ?? '',
    raw: JSON.parse(raw ?? '{}'),
  }));
}

/** How many messages about an order were taken, whatever became of them. */
export async function takenOf(on: Platform, order: string): Promise<number> {
  const [row] = await on.sql(`select count(*) from postbacks where raw ->> 'txn_id' = $1`, [order]);
  return Number(row?.count);
}

/** The postings of a conversion's accrual, by account without the ids in it. */
export async function accrualOf(on: Platform, convId: string): Promise<Record<string, string>> {
  const rows = await on.sql('select account, amount from journal_entries where event_id = $1', [`c${convId}.accrual`]);
  return Object.fromEntries(rows.map(({ account, amount }) => [account?.split(':').slice(0, -1).join(':'), amount]));
}

/** What a payee can be paid, has reserved and owes at a tenant. */
export async function balanceOf(
  on: Platform,
  tenantId: string,
  payee: string,
): Promise<{ available: string; reserved: string; receivable: string }> {
  const [row] = await on.sql(
    'select available, reserved, receivable from payee_accounts where tenant_id = $1 and payee = $2',
    [tenantId, payee],
  );
  return {
    available: row?.available ?? '0.00',
    reserved: row?.reserved ?? '0.00',
    receivable: row?.receivable ?? '0.00',
  };
}

export type Payout = {
  payout_id: string;
  status: string;
  amount: string;
  attempts: string;
  creation_request_id: string;
  next_attempt_at: string;
  gc_id: string | null;
  voucher_code: string | null;
  error_code: string | null;
};

/** A shopper's payouts, the largest first. */
export async function payoutsOf(on: Platform, userId: string): Promise<Payout[]> {
  const rows = await on.sql(
    `select payout_id, status, amount, attempts, creation_request_id, next_attempt_at, gc_id, voucher_code, error_code, sms_attempts
     from payouts where user_id = $1 order by amount desc, payout_id`,
    [userId],
  );
  return rows as unknown as Payout[];
}

/** How often each outcome came of an order's postbacks. */
export async function postbacksOf(on: Platform, order: string): Promise<Record<string, number>> {
  const rows = await on.sql(`select outcome, count(*) from postbacks where raw ->> 'txn_id' = $1 group by outcome`, [
    order,
  ]);
  return Object.fromEntries(rows.map(({ outcome, count }) => [outcome, Number(count)]));
}

/** A checksum of each table but `except`: two of them tell which tables have changed. */
export async function checksums(on: Platform, except: readonly string[]): Promise<Record<string, string | null>> {
  const tables = await on.sql(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
     and relname <> all($1::text[]) order by 1`,
    [except],
  );
  const sums = tables.map(async ({ name }) => {
    const [row] = await on.sql(`select md5(string_agg(t::text, '|' order by t::text)) as sum from ${name} t`);
    return [name, row?.sum ?? null] as const;
  });
  return Object.fromEntries(await Promise.all(sums));
}

/** Names of the tables that differ. */
export function changedTables(before: Record<string, string | null>, after: Record<string, string | null>): string[] {
  return Object.keys(after).filter((name) => after[name] !== before[name]);
}
