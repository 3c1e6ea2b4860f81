import type { Side } from '../../domain/journal.ts';
import { formatPaise, type Paise, parsePaise } from '../../domain/money.ts';
import {
  type PayeeAccount,
  type PayeeKey,
  type PayeeMove,
  type PayeeState,
  payeeKey,
  type QueuedPayout,
  type RewardKey,
  type Settlement,
} from '../../domain/settlement.ts';
import type { Tx } from '../types.ts';
import { postingRows } from './intake-write.ts';

/**
 * Locks the payees' accounts in key order, making those that are missing, and loads what a settlement must know of them (money rule 11). Identity rows are
 * locked before, never after. What is read grows with what moves and what is open, never with all that a payee has earned.
 * @param moves what is about to be taken from the payees and given to them; nothing of either where pending money is only released
 * @param rewards the conversions that are about to change, with whatever is left of them
 */
export async function lockPayees(
  tx: Tx,
  moves: readonly PayeeMove[],
  rewards: readonly RewardKey[],
): Promise<Map<string, PayeeState>> {
  const states = new Map<string, PayeeState>();
  if (moves.length === 0) return states;
  const wanted = [...sumOf(moves).values()].sort((a, b) => (payeeKey(a) < payeeKey(b) ? -1 : 1));
  await lockAccounts(tx, wanted, states);
  const needs = wanted.flatMap((move): Need[] => {
    const state = states.get(payeeKey(move));
    return state === undefined ? [] : [{ state, ...move, owed: state.account.receivable + move.taken }];
  });
  const behind = await loadQueued(
    tx,
    needs.filter(({ taken, owed, state }) => taken > 0n && state.account.available < owed),
  );
  await loadShares(tx, needs, [...rewards, ...behind]);
  return states;
}

/** What of a payee's rewards may be reached: `owed` is the most that can be worked off or taken back, in paise. */
type Need = PayeeMove & { state: PayeeState; owed: Paise };

/** One move a payee. */
function sumOf(moves: readonly PayeeMove[]): Map<string, PayeeMove> {
  const sums = new Map<string, PayeeMove>();
  for (const move of moves) {
    const sum = sums.get(payeeKey(move));
    sums.set(payeeKey(move), {
      ...move,
      taken: move.taken + (sum?.taken ?? 0n),
      given: move.given + (sum?.given ?? 0n),
    });
  }
  return sums;
}

function keyColumns(keys: readonly PayeeKey[]): unknown[] {
  return [
    keys.map((key) => key.tenantId),
    keys.map((key) => key.side),
    keys.map((key) => key.payee),
    keys.map((key) => key.currency),
  ];
}

async function lockAccounts(tx: Tx, keys: readonly PayeeKey[], states: Map<string, PayeeState>): Promise<void> {
  await tx.query(
    `insert into payee_accounts (tenant_id, side, payee, currency)
     select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) on conflict do nothing`,
    keyColumns(keys),
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
    keyColumns(keys),
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
}

/**
 * Loads the given rewards; beside them the payee's oldest open ones that make up what may be worked off or taken back, and the newest ones used up for a
 * debt that what may be given could free. More than that a settlement cannot reach (domain/settlement.ts goes oldest and newest first).
 */
async function loadShares(tx: Tx, needs: readonly Need[], rewards: readonly RewardKey[]): Promise<void> {
  const number = new Map(needs.map((need, index) => [payeeKey(need), index + 1]));
  type Row = {
    i: number;
    conv_id: bigint;
    led_id: bigint;
    net: string;
    covered: string;
    items: { led_id: string; event_id: string; amount: string }[] | null;
  };
  const { rows } = await tx.query<Row>(
    `with payees as (
       select k.*, k.currency::bpchar as code, array(select g.conv_id from unnest($7::int[], $9::bigint[]) as g(i, conv_id) where g.i = k.i) as given
       from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::numeric[], $6::numeric[]) with ordinality
         as k(tenant_id, side, payee, currency, owed, freed, i)
       where k.owed > 0 or k.freed > 0),
     wanted as (
       select g.i, g.at, g.conv_id from unnest($7::int[], $8::timestamptz[], $9::bigint[]) as g(i, at, conv_id)
       union
       select p.i, o.occurred_at, o.conv_id from payees p cross join lateral oldest_open(p.tenant_id, p.side, p.payee, p.code, p.owed, p.given) o
       union
       select p.i, o.occurred_at, o.conv_id from payees p cross join lateral newest_settled(p.tenant_id, p.side, p.payee, p.code, p.freed, p.given) o)
     select w.i::int, w.conv_id, s.led_id, s.net::text, s.covered::text,
       case when s.settled > 0 then (
         select jsonb_agg(jsonb_build_object('led_id', x.led_id::text, 'event_id', x.event_id, 'amount', x.amount::text) order by x.led_id, x.event_id)
         from ledger l
         cross join lateral (
           select * from payout_items x
           where x.led_id = l.led_id and x.side = ($2::text[])[w.i::int] and x.payout_id is null and x.returned_at is null offset 0) x
         where l.conv_id = w.conv_id and l.tenant_id = ($1::uuid[])[w.i::int] and l.created_at = w.at) end as items
     from wanted w
     cross join lateral reward_share(($1::uuid[])[w.i::int], ($2::text[])[w.i::int], ($3::uuid[])[w.i::int], (($4::text[])[w.i::int])::bpchar, w.at, w.conv_id) s
     order by w.at, w.conv_id`,
    [
      ...keyColumns(needs),
      needs.map(({ owed }) => formatPaise(owed)),
      needs.map(({ given, state }) => formatPaise(given + state.queued.reduce((sum, { amount }) => sum + amount, 0n))),
      rewards.map((reward) => number.get(payeeKey(reward)) ?? 0),
      rewards.map(({ occurredAt }) => new Date(occurredAt)),
      rewards.map(({ convId }) => convId),
    ],
  );
  for (const row of rows) {
    const state = needs[row.i - 1]?.state;
    if (state === undefined) continue;
    const convId = row.conv_id;
    state.shares.push({
      convId,
      ledId: row.led_id,
      net: parsePaise(row.net),
      covered: parsePaise(row.covered),
    });
    for (const item of row.items ?? [])
      state.settled.push({
        ledId: BigInt(item.led_id),
        convId,
        eventId: item.event_id,
        amount: parsePaise(item.amount),
      });
  }
}

/**
 * Payouts that could be given back, into the payees' states; the rewards behind them are answered. Payouts that a sender holds at this moment are passed
 * by: they are on their way.
 */
async function loadQueued(tx: Tx, needs: readonly Need[]): Promise<RewardKey[]> {
  if (needs.length === 0) return [];
  type Row = { tenant_id: string; side: Side; payee: string; currency: string; payout_id: string; amount: string };
  const { rows } = await tx.query<Row>(
    `select p.tenant_id, p.side, p.payee, p.currency, p.payout_id, p.amount from payouts p
     join unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) as k(tenant_id, side, payee, currency)
       on p.tenant_id = k.tenant_id and p.side = k.side and p.payee = k.payee and p.currency = k.currency
     where p.status = 'queued' and not p.card_may_exist
     order by p.created_at desc, p.payout_id desc for update of p skip locked`,
    keyColumns(needs),
  );
  if (rows.length === 0) return [];
  const items = await tx.query<{ payout_id: string; conv_id: bigint; created_at: Date; amount: string }>(
    `select i.payout_id, l.conv_id, l.created_at, i.amount from payout_items i
     join ledger l on l.led_id = i.led_id and l.tenant_id = i.tenant_id
     where i.payout_id = any($1::uuid[]) and i.returned_at is null and l.tenant_id = any($2::uuid[])`,
    [rows.map((row) => row.payout_id), [...new Set(rows.map((row) => row.tenant_id))]],
  );
  const itemsOf = Map.groupBy(items.rows, (item) => item.payout_id);
  const stateOf = new Map(needs.map((need) => [payeeKey(need), need.state]));
  return rows.flatMap((row): RewardKey[] => {
    const key: PayeeKey = {
      tenantId: row.tenant_id,
      side: row.side,
      payee: row.payee,
      currency: row.currency.trim(),
    };
    const paid = itemsOf.get(row.payout_id) ?? [];
    const payout: QueuedPayout = {
      payoutId: row.payout_id,
      amount: parsePaise(row.amount),
      items: paid.map((item) => ({ convId: item.conv_id, amount: parsePaise(item.amount) })),
    };
    stateOf.get(payeeKey(key))?.queued.push(payout);
    return paid.map((item) => ({ ...key, convId: item.conv_id, occurredAt: item.created_at.getTime() }));
  });
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
    returned: settlement.returned.map((entry) => ({
      conv_id: String(entry.convId),
      tenant_id: entry.tenantId,
      created_at: new Date(entry.occurredAt).toISOString(),
      side: entry.side,
    })),
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
  from input, jsonb_to_recordset(j -> 'returned') as r(conv_id bigint, tenant_id uuid, created_at timestamptz, side text), ledger l
  where l.conv_id = r.conv_id and l.tenant_id = r.tenant_id and l.created_at = r.created_at and i.led_id = l.led_id and i.side = r.side and i.returned_at is null
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
