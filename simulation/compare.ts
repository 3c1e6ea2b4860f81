import { audit } from '@hissaback/shared/db/queries/audit';
import type { Database } from '@hissaback/shared/db/types';
import type pg from 'pg';
import type { Amazon } from './amazon.ts';
import { Disagreement, type Observer } from './observer.ts';
import { type Conversion, isAlive, isWaiting, parts, payeeOf } from './oracle/conversion.ts';
import type { Oracle } from './oracle/oracle.ts';
import { hundredths, type World } from './world.ts';

type Compared = {
  owner: pg.Client;
  world: World;
  oracle: Oracle;
  observer: Observer;
  amazon: Amazon;
};

/**
 * Compares all that the model knows with all that the database holds, to the paisa, and holds Amazon's own journal against the payouts (I9).
 * @throws Disagreement with every difference
 */
export async function compareAll(all: Compared): Promise<void> {
  const differences: string[] = [];
  const stories: string[] = [];
  const differing: Conversion[] = [];
  const check = (what: string, model: unknown, database: unknown, conversion?: Conversion): void => {
    if (String(model) === String(database)) return;
    differences.push(`${what}: the model says ${model}, the database ${database}`);
    if (conversion === undefined || stories.length >= 60) return;
    stories.push(`conversion ${conversion.convId}`, ...conversion.story);
    differing.push(conversion);
  };
  await compareConversions(all, check);
  stories.push(...(await tellUse(all.owner, differing)));
  await compareBalances(all, check);
  await comparePayouts(all, check);
  await comparePostbacks(all, check);
  differences.push(...all.amazon.violations);
  if (differences.length > 0) throw new Disagreement(differences.slice(0, 20).join('\n'), stories);
}

/**
 * Runs the audit: every invariant holds.
 * @throws Disagreement with every breach
 */
export async function checkInvariants({
  audited,
  observer,
}: Pick<Compared, 'observer'> & { audited: Database }): Promise<void> {
  const breaches = await audited.transaction((tx) => audit(tx));
  if (breaches.length === 0) return;
  const named = breaches.flatMap(({ examples }) => [...examples.join().matchAll(/conversion (\d+)/g)]);
  throw new Disagreement(
    breaches
      .map(
        ({ invariant, count, says, examples }) =>
          `${invariant} is broken ${count} times (${says}): ${examples.join('; ')}`,
      )
      .join('\n'),
    named.flatMap(([, convId]) => observer.byConvId.get(convId ?? '')?.story ?? []),
  );
}

/** What has used the rewards of these payees, in the model and in the database. */
async function tellUse(owner: pg.Client, conversions: readonly Conversion[]): Promise<string[]> {
  const [first] = conversions;
  if (first === undefined) return [];
  const { rows } = await owner.query<Record<string, string | null>>(
    `select l.conv_id, l.seq, l.user_amount, l.status, l.status_at::text as since, i.event_id, i.amount, i.returned_at is not null as is_returned, p.status as payout
     from ledger l left join payout_items i on i.led_id = l.led_id and i.side = 'shopper' left join payouts p on p.payout_id = i.payout_id
     where l.tenant_id = $1 and l.user_id = $2 and l.status in ('confirmed', 'paid') order by l.created_at, l.conv_id, l.seq, i.event_id`,
    [first.link.tenant.id, first.userId],
  );
  const model = conversions.map(
    ({ convId, cover }) =>
      `${convId} in the model: ${cover.map((part) => `${hundredths(part.amount)} ${part.payoutId ?? 'debt'}`)}`,
  );
  return [...model, ...rows.map((row) => Object.values(row).join(' '))];
}

type Check = (what: string, model: unknown, database: unknown, conversion?: Conversion) => void;

async function compareConversions({ owner, oracle, observer }: Compared, check: Check): Promise<void> {
  const { rows } = await owner.query<Record<string, string | null>>(
    `select i.conv_id, i.tenant_id, c.user_id, c.click_country, i.status, i.net_commission, i.platform_fee, i.order_value, i.txn_id, i.network_id, i.goal_id,
       sum(l.user_amount) as user_amount, sum(l.creator_amount) as creator_amount, max(l.status) filter (where l.seq = 0) as state
     from conversion_identities i
     join conversions c on c.conv_id = i.conv_id and c.created_at = i.occurred_at
     join ledger l on l.conv_id = i.conv_id and l.tenant_id = i.tenant_id and l.created_at = i.occurred_at
     group by i.conv_id, i.tenant_id, c.user_id, c.click_country`,
  );
  check('conversions', oracle.conversions.length, rows.length);
  for (const row of rows) {
    const c = observer.byConvId.get(row.conv_id ?? '');
    if (c === undefined) {
      check(`conversion ${row.conv_id}`, 'nothing', 'a conversion');
      continue;
    }
    const { user, creator } = parts(c);
    const amount = c.amount === null ? null : hundredths(c.amount);
    const is = [
      c.link.tenant.id,
      c.userId,
      c.clickCountry,
      c.status,
      hundredths(c.net),
      hundredths(c.fee),
      amount,
      c.orderId,
      c.networkId,
      c.goal,
      hundredths(user),
      hundredths(creator),
    ];
    // A reward of nothing is paid or not, as one likes.
    const state = user === 0n && (c.state === 'confirmed' || c.state === 'paid') ? row.state : c.state;
    const has = [
      row.tenant_id,
      row.user_id,
      row.click_country,
      row.status,
      row.net_commission,
      row.platform_fee,
      row.order_value,
      row.txn_id,
      row.network_id,
      row.goal_id,
      row.user_amount,
      row.creator_amount,
      row.state,
    ];
    check(`conversion ${row.conv_id}`, JSON.stringify([...is, state]), JSON.stringify(has), c);
  }
}

async function compareBalances({ owner, oracle, world }: Compared, check: Check): Promise<void> {
  const accounts = await owner.query<{ key: string; balances: string }>(
    `select side || ' ' || tenant_id || ' ' || payee as key, available || ' ' || reserved || ' ' || receivable as balances from payee_accounts`,
  );
  const held = new Map(accounts.rows.map((row) => [row.key, row.balances]));
  for (const key of new Set([...held.keys(), ...oracle.books.accounts.keys()])) {
    const account = oracle.books.accounts.get(key);
    const model = [account?.available, account?.reserved, account?.receivable].map((amount) =>
      hundredths(amount ?? 0n),
    );
    check(`${key}: available, reserved, receivable`, model.join(' '), held.get(key) ?? '0.00 0.00 0.00');
  }
  const journal = await owner.query<{ account: string; amount: string }>(
    `select account, sum(amount) as amount from journal_entries where account ~ '^(network|fee|vouchers|shopper:pending|creator:pending):' group by account`,
  );
  const posted = new Map(journal.rows.map((row) => [row.account, row.amount]));
  const model = new Map<string, bigint>();
  const add = (account: string, amount: bigint): void => {
    model.set(account, (model.get(account) ?? 0n) + amount);
  };
  for (const c of oracle.conversions) {
    if (!isAlive(c.state)) continue;
    const tenantId = c.link.tenant.id;
    const { user, creator } = parts(c);
    add(`network:${tenantId}`, -(c.net + c.fee));
    add(`fee:${tenantId}`, c.fee);
    if (!isWaiting(c.state)) continue;
    add(`shopper:pending:${tenantId}:${payeeOf(c)}`, user);
    add(`creator:pending:${tenantId}:${tenantId}`, creator);
  }
  for (const [tenantId, amount] of oracle.books.vouchers) add(`vouchers:${tenantId}`, amount);
  for (const account of new Set([...posted.keys(), ...model.keys()]))
    check(account, hundredths(model.get(account) ?? 0n), posted.get(account) ?? '0.00');

  const figures = await owner.query<{ tenant_id: string; figures: string }>(
    `select tenant_id, sum(conversions) || ' ' || sum(net_commission) || ' ' || sum(user_amount) || ' ' || sum(creator_amount) as figures
     from daily_rollups group by tenant_id`,
  );
  for (const { id } of world.tenants) {
    const own = oracle.conversions.filter((c) => c.link.tenant.id === id);
    const alive = own.filter((c) => isAlive(c.state));
    const total = (of: (c: Conversion) => bigint): string => hundredths(alive.reduce((sum, c) => sum + of(c), 0n));
    const expected = [
      own.length,
      total((c) => c.net),
      total((c) => parts(c).user),
      total((c) => parts(c).creator),
    ].join(' ');
    const found = figures.rows.find((row) => row.tenant_id === id)?.figures;
    if (found !== undefined || own.length > 0) check(`daily figures of ${id}`, expected, found);
  }
}

async function comparePayouts({ owner, oracle, amazon }: Compared, check: Check): Promise<void> {
  const { rows } = await owner.query<{
    payout_id: string;
    status: string;
    amount: string;
    creation_request_id: string;
  }>('select payout_id, status, amount, creation_request_id from payouts');
  check('payouts', oracle.books.payouts.size, rows.length);
  for (const row of rows) check(`payout ${row.payout_id}`, oracle.books.payouts.get(row.payout_id)?.status, row.status);
  // I9: cards in Amazon's own journal = payouts issued, paid, or of unknown outcome.
  const byRequest = new Map(rows.map((row) => [row.creation_request_id, row]));
  for (const [requestId, card] of amazon.cards) {
    if (card.status !== 'Fulfilled') continue;
    const row = byRequest.get(requestId);
    const isExplained = ['issued', 'paid', 'sending', 'held', 'error_soft'].includes(row?.status ?? '');
    check(`card ${requestId}`, `${hundredths(card.amount)} true`, `${row?.amount} ${isExplained}`);
  }
  for (const row of rows)
    if (row.status === 'issued' || row.status === 'paid')
      check(`card of payout ${row.payout_id}`, amazon.cards.get(row.creation_request_id)?.status, 'Fulfilled');
}

async function comparePostbacks({ owner, oracle }: Compared, check: Check): Promise<void> {
  const [count] = (await owner.query<{ count: string }>('select count(*) as count from postbacks')).rows;
  check('postbacks', oracle.postbacks.size, count?.count);
  const { rows } = await owner.query<{ unmatched_id: string; reason: string }>(
    `select unmatched_id, reason from unmatched_conversions where status = 'open'`,
  );
  const open = new Map(rows.map((row) => [row.unmatched_id, row.reason]));
  for (const [id, expected] of oracle.postbacks) {
    const isOpen = expected.outcome === 'unmatched' || expected.outcome === 'ignored';
    check(`unmatched ${id}`, isOpen, open.has(String(id)));
  }
}
