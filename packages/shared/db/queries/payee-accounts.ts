import type { Side } from '../../domain/journal.ts';
import { formatPaise, parsePaise } from '../../domain/money.ts';
import {
  type PayeeAccount,
  type PayeeState,
  payeeKey,
  type QueuedPayout,
  type Settlement,
} from '../../domain/settlement.ts';
import type { Tx } from '../types.ts';
import { postingRows } from './intake-write.ts';

export type PayeeKey = Pick<PayeeAccount, 'tenantId' | 'side' | 'payee' | 'currency'>;

/**
 * Locks the payees' accounts in key order, making those that are missing, and loads what a settlement must know of them
 * (money rule 11). Identity rows are locked before, never after.
 * @param convIds conversions to load whatever is left of them
 */
export async function lockPayees(
  tx: Tx,
  keys: readonly PayeeKey[],
  convIds: readonly bigint[],
): Promise<Map<string, PayeeState>> {
  const states = new Map<string, PayeeState>();
  if (keys.length === 0) return states;
  const wanted = [...new Map(keys.map((key) => [payeeKey(key), key])).values()].sort((a, b) =>
    payeeKey(a) < payeeKey(b) ? -1 : 1,
  );
  const columns = [
    wanted.map((key) => key.tenantId),
    wanted.map((key) => key.side),
    wanted.map((key) => key.payee),
    wanted.map((key) => key.currency),
  ];
  await tx.query(
    `insert into payee_accounts (tenant_id, side, payee, currency)
     select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) on conflict do nothing`,
    columns,
  );
  type AccountRow = {
    tenant_id: string;
    side: Side;
    payee: string;
    currency: string;
    available: string;
    reserved: string;
    receivable: string;
  };
  const accounts = await tx.query<AccountRow>(
    `select a.tenant_id, a.side, a.payee, a.currency, a.available, a.reserved, a.receivable
     from payee_accounts a
     join unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) as k(tenant_id, side, payee, currency)
       on a.tenant_id = k.tenant_id and a.side = k.side and a.payee = k.payee and a.currency = k.currency
     order by a.tenant_id, a.side, a.payee, a.currency for update of a`,
    columns,
  );
  for (const row of accounts.rows) {
    const account: PayeeAccount = {
      tenantId: row.tenant_id,
      side: row.side,
      payee: row.payee,
      currency: row.currency.trim(),
      available: parsePaise(row.available),
      reserved: parsePaise(row.reserved),
      receivable: parsePaise(row.receivable),
    };
    states.set(payeeKey(account), { account, shares: [], queued: [], settled: [] });
  }
  await loadQueued(tx, columns, states);
  await loadSettled(tx, columns, states);
  const behind = [...states.values()].flatMap((state) => [
    ...state.queued.flatMap(({ items }) => items.map(({ convId }) => convId)),
    ...state.settled.map(({ convId }) => convId),
  ]);
  await loadShares(tx, columns, [...new Set([...convIds, ...behind])], states);
  for (const state of states.values()) await loadOpenOfCreator(tx, state);
  return states;
}

// A shopper's rewards are few; a creator's are a whole tenant's, so only those that change are loaded.
async function loadShares(
  tx: Tx,
  columns: unknown[],
  convIds: readonly bigint[],
  states: Map<string, PayeeState>,
): Promise<void> {
  type Row = {
    tenant_id: string;
    side: Side;
    payee: string;
    currency: string;
    conv_id: bigint;
    led_id: bigint;
    net: string;
    covered: string;
  };
  const { rows } = await tx.query<Row>(
    `with shares as (
       select k.tenant_id, k.side, k.payee, k.currency, l.conv_id, l.created_at, min(l.led_id) filter (where l.seq = 0) as led_id,
         coalesce(sum(case k.side when 'shopper' then l.user_amount else l.creator_amount end)
                  filter (where l.status in ('confirmed', 'paid')), 0) as net,
         coalesce(sum((select sum(i.amount) from payout_items i
                       where i.led_id = l.led_id and i.side = k.side and i.returned_at is null)), 0) as covered
       from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) as k(tenant_id, side, payee, currency)
       join ledger l on l.tenant_id = k.tenant_id and l.currency = k.currency and (k.side = 'creator' or l.user_id = k.payee)
       where (k.side = 'shopper' and l.status in ('confirmed', 'paid')) or l.conv_id = any($5::bigint[])
       group by k.tenant_id, k.side, k.payee, k.currency, l.conv_id, l.created_at)
     select * from shares where net > covered or conv_id = any($5::bigint[]) order by created_at, conv_id`,
    [...columns, convIds],
  );
  for (const row of rows)
    states
      .get(payeeKey({ tenantId: row.tenant_id, side: row.side, payee: row.payee, currency: row.currency.trim() }))
      ?.shares.push({
        convId: row.conv_id,
        ledId: row.led_id,
        net: parsePaise(row.net),
        covered: parsePaise(row.covered),
      });
}

/**
 * What a creator owes is worked off any of the tenant's rewards, and so is a change of one that was paid already: only then are others than those that
 * change needed, the oldest and no more than could be taken.
 */
async function loadOpenOfCreator(tx: Tx, { account, shares }: PayeeState): Promise<void> {
  const covered = shares.reduce((sum, share) => sum + share.covered, 0n);
  const most = account.receivable + 2n * covered;
  if (account.side !== 'creator' || most === 0n) return;
  const { rows } = await tx.query<{ conv_id: bigint; led_id: bigint; net: string; covered: string }>(
    `with shares as (
       select l.conv_id, l.created_at, min(l.led_id) filter (where l.seq = 0) as led_id, sum(l.creator_amount) as net,
         coalesce(sum((select sum(i.amount) from payout_items i
                       where i.led_id = l.led_id and i.side = 'creator' and i.returned_at is null)), 0) as covered
       from ledger l
       where l.tenant_id = $1 and l.currency = $2 and l.status in ('confirmed', 'paid') and l.conv_id <> all($4::bigint[])
       group by l.conv_id, l.created_at),
     running as (select *, sum(net - covered) over (order by created_at, conv_id) as total from shares where net > covered)
     select conv_id, led_id, net::text, covered::text from running where total - (net - covered) < $3::numeric order by created_at, conv_id`,
    [account.tenantId, account.currency, formatPaise(most), shares.map(({ convId }) => convId)],
  );
  for (const row of rows)
    shares.push({
      convId: row.conv_id,
      ledId: row.led_id,
      net: parsePaise(row.net),
      covered: parsePaise(row.covered),
    });
}

async function loadSettled(tx: Tx, columns: unknown[], states: Map<string, PayeeState>): Promise<void> {
  type Row = {
    tenant_id: string;
    side: Side;
    payee: string;
    currency: string;
    led_id: bigint;
    conv_id: bigint;
    event_id: string;
    amount: string;
  };
  const { rows } = await tx.query<Row>(
    `with keys as (select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) as k(tenant_id, side, payee, currency))
     select k.*, i.led_id, l.conv_id, i.event_id, i.amount::text from keys k
     join ledger l on l.tenant_id = k.tenant_id and l.user_id = k.payee and l.currency = k.currency and l.status in ('confirmed', 'paid')
     join payout_items i on i.led_id = l.led_id and i.side = k.side and i.payout_id is null and i.returned_at is null
     where k.side = 'shopper'
     union all
     select k.*, i.led_id, l.conv_id, i.event_id, i.amount::text from keys k
     join payout_items i on i.tenant_id = k.tenant_id and i.side = k.side and i.payout_id is null and i.returned_at is null
     join ledger l on l.led_id = i.led_id and l.tenant_id = i.tenant_id and l.currency = k.currency
     where k.side = 'creator'
     order by led_id, event_id`,
    columns,
  );
  for (const row of rows)
    states
      .get(payeeKey({ tenantId: row.tenant_id, side: row.side, payee: row.payee, currency: row.currency.trim() }))
      ?.settled.push({
        ledId: row.led_id,
        convId: row.conv_id,
        eventId: row.event_id,
        amount: parsePaise(row.amount),
      });
}

/** Payouts that a sender holds at this moment are passed by: they are on their way. */
async function loadQueued(tx: Tx, columns: unknown[], states: Map<string, PayeeState>): Promise<void> {
  type Row = { tenant_id: string; side: Side; payee: string; currency: string; payout_id: string; amount: string };
  const { rows } = await tx.query<Row>(
    `select p.tenant_id, p.side, p.payee, p.currency, p.payout_id, p.amount from payouts p
     join unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) as k(tenant_id, side, payee, currency)
       on p.tenant_id = k.tenant_id and p.side = k.side and p.payee = k.payee and p.currency = k.currency
     where p.status = 'queued' and not p.card_may_exist
     order by p.created_at desc, p.payout_id desc for update of p skip locked`,
    columns,
  );
  if (rows.length === 0) return;
  const items = await tx.query<{ payout_id: string; conv_id: bigint; amount: string }>(
    `select i.payout_id, l.conv_id, i.amount from payout_items i
     join ledger l on l.led_id = i.led_id and l.tenant_id = i.tenant_id
     where i.payout_id = any($1::uuid[]) and i.returned_at is null`,
    [rows.map((row) => row.payout_id)],
  );
  for (const row of rows) {
    const payout: QueuedPayout = {
      payoutId: row.payout_id,
      amount: parsePaise(row.amount),
      items: items.rows
        .filter((item) => item.payout_id === row.payout_id)
        .map((item) => ({ convId: item.conv_id, amount: parsePaise(item.amount) })),
    };
    states
      .get(payeeKey({ tenantId: row.tenant_id, side: row.side, payee: row.payee, currency: row.currency.trim() }))
      ?.queued.push(payout);
  }
}

/**
 * Writes a settlement: balances, postings, items, cancelled payouts; and what became `paid` or `confirmed` by it.
 * @param at milliseconds since the Unix epoch
 */
export async function writeSettlement(
  tx: Tx,
  states: ReadonlyMap<string, PayeeState>,
  settlement: Settlement,
  at: number,
): Promise<void> {
  if (states.size === 0) return;
  const data = {
    accounts: [...states.values()].map(({ account }) => ({
      tenant_id: account.tenantId,
      side: account.side,
      payee: account.payee,
      currency: account.currency,
      available: formatPaise(account.available),
      reserved: formatPaise(account.reserved),
      receivable: formatPaise(account.receivable),
    })),
    postings: postingRows(settlement.postings),
    items: settlement.items.map((item) => ({
      led_id: String(item.ledId),
      tenant_id: item.tenantId,
      side: item.side,
      event_id: item.eventId,
      amount: formatPaise(item.amount),
    })),
    returned: settlement.returned.map((entry) => ({ conv_id: String(entry.convId), side: entry.side })),
    undone: settlement.undone.map(({ ledId, side, eventId }) => ({ led_id: String(ledId), side, event_id: eventId })),
  };
  const { rows } = await tx.query<{ cancelled: bigint }>(WRITE, [
    JSON.stringify(data),
    new Date(at),
    settlement.cancelled,
  ]);
  if (rows[0]?.cancelled !== BigInt(settlement.cancelled.length))
    throw new Error('a queued payout was taken meanwhile');
  const touched = [...settlement.undone, ...settlement.items].filter((item) => item.side === 'shopper');
  await tellPaid(
    tx,
    { ledIds: touched.map((item) => item.ledId), tenantIds: data.accounts.map((row) => row.tenant_id) },
    at,
  );
}

/**
 * Says of the rows of these rewards' conversions whether they are paid (money rule 12): a row is, once paid vouchers and worked-off receivables make
 * up what the conversion came to with it, or with what later took something of it away. So what is paid stays paid when more comes on top, which is
 * `confirmed` until it is paid as well; and what stood in for something that has come back is `confirmed` again. It depends on what is written alone,
 * never on the steps in which it came about.
 * @param rewards any row of each conversion, and the tenants they are of
 * @param at milliseconds since the Unix epoch
 */
export async function tellPaid(
  tx: Tx,
  rewards: { ledIds: readonly bigint[]; tenantIds: readonly string[] },
  at: number,
): Promise<void> {
  if (rewards.ledIds.length === 0) return;
  await tx.query(
    `with touched as (
       select distinct l.conv_id, l.tenant_id, l.created_at from ledger l where l.led_id = any($1::bigint[]) and l.tenant_id = any($3::uuid[])),
     sums as (
       select l.led_id, l.tenant_id, l.created_at, l.conv_id, l.seq, sum(l.user_amount) over (partition by l.conv_id order by l.seq) as worth
       from touched t join ledger l on l.conv_id = t.conv_id and l.tenant_id = t.tenant_id and l.created_at = t.created_at
       where l.tenant_id = any($3::uuid[])),
     paid as (
       select s.conv_id, sum(i.amount) as amount
       from sums s join payout_items i on i.led_id = s.led_id and i.side = 'shopper' and i.returned_at is null
       left join payouts p on p.payout_id = i.payout_id
       where i.payout_id is null or p.status = 'paid' group by s.conv_id),
     told as (
       select s.led_id, s.tenant_id, s.created_at, set_config('app.unsettle', 'yes', true),
         case when p.amount >= min(s.worth) over (partition by s.conv_id order by s.seq desc) then 'paid' else 'confirmed' end as status
       from sums s left join paid p on p.conv_id = s.conv_id)
     update ledger l set status = t.status, reason = null, status_at = $2
     from told t
     where l.led_id = t.led_id and l.tenant_id = t.tenant_id and l.created_at = t.created_at and l.tenant_id = any($3::uuid[])
       and l.status in ('confirmed', 'paid') and l.status <> t.status`,
    [rewards.ledIds, new Date(at), [...new Set(rewards.tenantIds)]],
  );
}

const WRITE = `
with input as (select $1::jsonb as j),
balances as (
  update payee_accounts a set available = r.available, reserved = r.reserved, receivable = r.receivable
  from input, jsonb_to_recordset(j -> 'accounts') as r(tenant_id uuid, side text, payee uuid, currency text, available numeric, reserved numeric,
    receivable numeric)
  where a.tenant_id = r.tenant_id and a.side = r.side and a.payee = r.payee and a.currency = r.currency
),
postings as (
  insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
  select r.event_id, r.account, r.amount, r.currency, r.tenant_id, r.kind, $2
  from input, jsonb_to_recordset(j -> 'postings') as r(event_id text, account text, amount numeric, currency text, tenant_id uuid, kind text)
),
returned as (
  update payout_items i set returned_at = $2
  from input, jsonb_to_recordset(j -> 'returned') as r(conv_id bigint, side text), ledger l
  where l.conv_id = r.conv_id and i.led_id = l.led_id and i.side = r.side and i.returned_at is null
    and (i.payout_id is null or not (i.payout_id = any($3::uuid[])))
),
undone as (
  update payout_items i set returned_at = $2
  from input, jsonb_to_recordset(j -> 'undone') as r(led_id bigint, side text, event_id text)
  where i.led_id = r.led_id and i.side = r.side and i.event_id = r.event_id and i.returned_at is null
),
given_back as (
  update payout_items i set returned_at = $2 where i.payout_id = any($3::uuid[]) and i.returned_at is null
),
items as (
  insert into payout_items (led_id, tenant_id, side, event_id, amount)
  select r.led_id, r.tenant_id, r.side, r.event_id, r.amount
  from input, jsonb_to_recordset(j -> 'items') as r(led_id bigint, tenant_id uuid, side text, event_id text, amount numeric)
),
cancelled as (
  update payouts p set status = 'cancelled', status_at = $2 where p.payout_id = any($3::uuid[]) and p.status = 'queued' returning 1
)
select (select count(*) from cancelled) as cancelled`;
