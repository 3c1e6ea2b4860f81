import { networkAlias } from '../../domain/intake.ts';
import { EVIDENCE } from '../../domain/text.ts';
import type { Tx } from '../types.ts';
import { fromMicroseconds } from './time.ts';

/** A row of the network's list or CSV, as text. */
export type NetworkRow = Readonly<Record<string, string>>;

/** What our books say of a row: nothing, the same, something else, that it waits among the unmatched as it is, or that an operator put it aside there. */
export type Standing = 'missing_here' | 'same' | 'differing' | 'waiting' | 'dismissed';

type Here = {
  standing: Standing;
  /** The consumer has not heard this yet: neither is it in the books, nor does it wait among the unmatched as it is. */
  isNews: boolean;
  convId: bigint | null;
  tenantId: string | null;
  here: unknown;
};

/**
 * Compares the network's rows with the books, in one statement. `same`: the conversion is known by the network's id with the same status, payout, currency
 * and order id (or lost here and there). The tenant is the conversion's, else the one whose publisher id the row carries.
 * @param currency what is credited, and so every conversion's
 * @returns one answer a row, in their order
 */
export async function compareWithBooks(tx: Tx, rows: readonly NetworkRow[], currency: string): Promise<Here[]> {
  type Found = {
    i: number;
    conv_id: bigint | null;
    tenant_id: string | null;
    settled: boolean | null;
    alike: boolean | null;
    /** It is among the unmatched as it is: open, or put aside; null where it is not. */
    waits: boolean | null;
    here: unknown;
  };
  const { rows: found } = await tx.query<Found>(
    `select r.i, i.conv_id, coalesce(i.tenant_id, t.tenant_id) as tenant_id, s.settled,
            i.status in ('cancelled', 'rejected') or (r.txn_id in ('', i.txn_id) and r.currency in ('', $9)) as alike,
            case when r.network_id <> '' and s.settled is not true then (
              select bool_or(u.status = 'open') from unmatched_conversions u
              where u.raw ? '_id' and u.raw ->> '_id' = r.network_id and lower(u.raw ->> 'status') = r.status and coalesce(u.raw ->> 'payout', '') = r.payout
                and btrim(coalesce(u.raw ->> 'txn_id', '')) = r.txn_id and upper(btrim(coalesce(u.raw ->> 'currency', ''))) = r.currency
                and u.status <> 'matched') end as waits,
            case when i.conv_id is not null then jsonb_build_object('status', i.status, 'commission', i.net_commission + i.platform_fee,
              'txn_id', i.txn_id) end as here
     from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
       as r(i, alias, status, payout, txn_id, network_id, publisher_id, currency)
     left join conversion_aliases a on a.alias = r.alias
     left join conversion_identities i on i.conv_id = a.conv_id
     left join tenants t on t.trackier_pid = r.publisher_id
     cross join lateral (
       select i.status = r.status and (i.txn_id is not null or r.txn_id = '')
         and (i.status in ('cancelled', 'rejected')
              or (case when r.payout ~ '^[0-9]{1,11}([.][0-9]{1,6})?$' then trunc(r.payout::numeric, 2) end) = i.net_commission + i.platform_fee) as settled
     ) s
     order by r.i`,
    [
      rows.map((_, index) => index),
      rows.map((row) => networkAlias(row._id ?? '')),
      rows.map((row) => (row.status ?? '').trim().toLowerCase()),
      rows.map((row) => keptOf(row.payout)),
      rows.map((row) => keptOf(row.txn_id).trim()),
      rows.map((row) => row._id ?? ''),
      rows.map((row) => row.publisher_id ?? ''),
      rows.map((row) => keptOf(row.currency).trim().toUpperCase()),
      currency,
    ],
  );
  return found.map((row) => ({
    standing: standingOf(row),
    isNews: row.settled !== true && row.waits === null,
    convId: row.conv_id,
    tenantId: row.tenant_id,
    here: row.here,
  }));
}

/** A value as it is kept among the unmatched. */
function keptOf(value: string | undefined): string {
  return (value ?? '').slice(0, EVIDENCE.value);
}

/** The tenants of links, by link. */
export async function tenantsOfLinks(tx: Tx, linkIds: readonly string[]): Promise<Map<string, string>> {
  if (linkIds.length === 0) return new Map();
  const { rows } = await tx.query<{ link_id: string; tenant_id: string }>(
    'select link_id, tenant_id from links where link_id = any($1::uuid[])',
    [linkIds],
  );
  return new Map(rows.map((row) => [row.link_id, row.tenant_id]));
}

function standingOf(row: {
  conv_id: bigint | null;
  settled: boolean | null;
  alike: boolean | null;
  waits: boolean | null;
}): Standing {
  if (row.waits === false) return 'dismissed';
  if (row.conv_id === null) return row.waits === true ? 'waiting' : 'missing_here';
  return row.settled === true && row.alike === true ? 'same' : 'differing';
}

/** Something that our books and the network do not agree on. `day` is the conversion's, in UTC. */
export type Finding = {
  kind: 'missing_here' | 'missing_there' | 'differing';
  key: string;
  tenantId: string | null;
  day: string;
  networkId: string | null;
  convId: bigint | null;
  offerId: number | null;
  here: unknown;
  there: unknown;
};

/** What the books and a list agree on, by its finding's key; whose it is by now. */
export type Agreed = { key: string; convId: bigint | null; tenantId: string | null };

/**
 * What a list found: new differences are kept, known ones seen again; those of `agreed` keys are healed, and say whose the conversion has become. Times in
 * milliseconds.
 */
export async function recordFindings(
  tx: Tx,
  found: { findings: readonly Finding[]; agreed: readonly Agreed[]; source: 'poll' | 'csv'; at: number },
): Promise<void> {
  const rows = found.findings.map((finding) => ({
    kind: finding.kind,
    finding_key: finding.key,
    tenant_id: finding.tenantId,
    day: finding.day,
    network_id: finding.networkId,
    conv_id: finding.convId === null ? null : String(finding.convId),
    offer_id: finding.offerId,
    here: finding.here,
    there: finding.there,
  }));
  await tx.query(
    `with healed as (
       update reconciliation_findings f set healed_at = $2, tenant_id = coalesce(f.tenant_id, g.tenant_id), conv_id = coalesce(f.conv_id, g.conv_id)
       from unnest($3::text[], $5::bigint[], $6::uuid[]) as g(finding_key, conv_id, tenant_id)
       where f.finding_key = g.finding_key and f.healed_at is null
     )
     insert into reconciliation_findings as f (kind, finding_key, tenant_id, day, network_id, conv_id, offer_id, here, there, source, first_seen, last_seen)
     select distinct on (r.kind, r.finding_key) r.kind, r.finding_key, r.tenant_id, r.day, r.network_id, r.conv_id, r.offer_id, r.here, r.there, $4, $2, $2
     from jsonb_to_recordset($1::jsonb) as r(kind text, finding_key text, tenant_id uuid, day date, network_id text, conv_id bigint, offer_id int,
       here jsonb, there jsonb)
     order by r.kind, r.finding_key
     on conflict (kind, finding_key) do update set tenant_id = coalesce(excluded.tenant_id, f.tenant_id), here = excluded.here, there = excluded.there,
       conv_id = coalesce(excluded.conv_id, f.conv_id), source = excluded.source, last_seen = excluded.last_seen, healed_at = null`,
    [
      JSON.stringify(rows),
      new Date(found.at),
      found.agreed.map(({ key }) => key),
      found.source,
      found.agreed.map(({ convId }) => convId),
      found.agreed.map(({ tenantId }) => tenantId),
    ],
  );
}

/**
 * Notes on the conversions of a poll's page that it listed them, and as what (money rule 10): at the first listing, and while a reward whose
 * cool-off had ended when the poll began still waits. So a conversion is written twice or so in its life, not by every poll. What a finished poll has
 * said for its release stays, as long as nothing else is said: a poll that never finishes takes no reward's release away.
 */
export async function markListed(tx: Tx, rows: readonly NetworkRow[], pollStartedAt: Date): Promise<void> {
  const known = rows.filter((row) => /^(pending|approved|cancelled|rejected)$/i.test((row.status ?? '').trim()));
  await tx.query(
    `update conversion_identities i set listed_at = $1, listed_status = r.status
     from (select distinct on (alias) alias, status from unnest($2::text[], $3::text[]) as u(alias, status) order by alias) r
     join conversion_aliases a on a.alias = r.alias
     where i.conv_id = a.conv_id and (i.listed_at is null or (i.listed_at < $1 and exists (
       select 1 from ledger l where l.conv_id = i.conv_id and l.tenant_id = i.tenant_id and l.created_at = i.occurred_at and l.seq = 0
         and l.status in ('pending', 'review') and l.release_at <= $1
         and not (r.status = 'approved' and i.listed_status = 'approved' and i.listed_at >= l.release_at and exists (
           select 1 from network_polls p where p.started_at = i.listed_at and p.finished_at is not null)))))`,
    [
      pollStartedAt,
      known.map((row) => networkAlias(row._id ?? '')),
      known.map((row) => (row.status ?? '').trim().toLowerCase()),
    ],
  );
}

/**
 * Conversions of the window that a finished poll should have listed and did not: never listed at all, or not since their cool-off ended. In the order of
 * their numbers, from behind `after`.
 * @param params times in milliseconds since the Unix epoch; conversions from `from` to `to` are looked at
 */
export async function missingThere(
  tx: Tx,
  params: { pollStartedAt: Date; from: number; to: number; after: bigint; limit: number },
): Promise<(Finding & { convId: bigint })[]> {
  type Row = {
    conv_id: bigint;
    tenant_id: string;
    day: string;
    network_id: string | null;
    offer_id: number;
    here: unknown;
  };
  const { rows } = await tx.query<Row>(
    `with missing as (
       select i.conv_id from conversion_identities i where i.occurred_at >= $2 and i.occurred_at < $3 and i.listed_at is null
       union
       select l.conv_id from ledger l join conversion_identities i on i.conv_id = l.conv_id
       where l.status in ('pending', 'review') and l.seq = 0 and l.release_at <= $1 and i.listed_at < $1)
     select i.conv_id, i.tenant_id, (i.occurred_at at time zone 'UTC')::date as day, i.network_id, i.offer_id,
            jsonb_build_object('status', i.status, 'commission', i.net_commission + i.platform_fee, 'txn_id', i.txn_id) as here
     from missing m join conversion_identities i on i.conv_id = m.conv_id
     where i.occurred_at >= $2 and i.occurred_at < $3 and i.status in ('pending', 'approved') and i.conv_id > $4
     order by i.conv_id limit $5`,
    [params.pollStartedAt, new Date(params.from), new Date(params.to), params.after, params.limit],
  );
  return rows.map((row) => ({
    kind: 'missing_there',
    key: `conv:${row.conv_id}`,
    tenantId: row.tenant_id,
    day: row.day,
    networkId: row.network_id,
    convId: row.conv_id,
    offerId: row.offer_id,
    here: row.here,
    there: null,
  }));
}

/** Heals what an earlier poll missed there and this one, finished, did not miss again. Days as YYYY-MM-DD. */
export async function healMissingThere(tx: Tx, params: { at: number; from: string; to: string }): Promise<void> {
  await tx.query(
    `update reconciliation_findings set healed_at = $1
     where kind = 'missing_there' and healed_at is null and last_seen < $1 and day >= $2::date and day < $3::date`,
    [new Date(params.at), params.from, params.to],
  );
}

/** A poll as it stands; days as YYYY-MM-DD. */
export type Poll = {
  started_at: Date;
  window_start: string;
  window_end: string;
  next_day: string;
  chunk_end: string | null;
  next_page: number;
  listed: bigint;
  sent: bigint;
};

/** The poll that was begun after `since` (milliseconds since the Unix epoch) and not finished. */
export async function unfinishedPoll(tx: Tx, since: number): Promise<Poll | null> {
  const { rows } = await tx.query<Poll>(
    `select started_at, window_start, window_end, next_day, chunk_end, next_page, listed, sent from network_polls
     where finished_at is null and started_at > $1 order by started_at desc limit 1`,
    [new Date(since)],
  );
  return rows[0] ?? null;
}

export async function beginPoll(tx: Tx, startedAt: number, window: { start: string; end: string }): Promise<Poll> {
  const { rows } = await tx.query<Poll>(
    `insert into network_polls (started_at, window_start, window_end, next_day) values ($1, $2, $3, $2)
     on conflict (started_at) do update set window_start = excluded.window_start, window_end = excluded.window_end, next_day = excluded.next_day,
       chunk_end = null, next_page = 1, finished_at = null
     returning started_at, window_start, window_end, next_day, chunk_end, next_page, listed, sent`,
    [new Date(startedAt), window.start, window.end],
  );
  const [poll] = rows;
  if (poll === undefined) throw new Error('the poll was not begun');
  return poll;
}

/** How far a poll came; what an earlier run left is continued from here. */
export async function savePoll(tx: Tx, poll: Poll): Promise<void> {
  await tx.query(
    'update network_polls set next_day = $2, chunk_end = $3, next_page = $4, listed = $5, sent = $6 where started_at = $1',
    [poll.started_at, poll.next_day, poll.chunk_end, poll.next_page, poll.listed, poll.sent],
  );
}

export async function finishPoll(tx: Tx, poll: Poll, at: number): Promise<void> {
  await tx.query('update network_polls set finished_at = $2 where started_at = $1', [poll.started_at, new Date(at)]);
}

/** The longest cool-off there is: an offer's, or one that a waiting reward was born with. Days. */
export async function longestCoolOff(tx: Tx): Promise<number> {
  const { rows } = await tx.query<{ days: number | null }>(
    `select greatest((select max(cool_off_days) from offers),
       (select ceil(extract(epoch from max(release_at - created_at)) / 86400)::int from ledger where status in ('pending', 'review') and seq = 0)) as days`,
  );
  return rows[0]?.days ?? 0;
}

/** The days whose file was taken whole, from `from` on (YYYY-MM-DD). */
export async function importedDays(tx: Tx, from: string): Promise<Set<string>> {
  const { rows } = await tx.query<{ day: string }>(
    `select distinct day from conversion_imports where source = 'daily' and finished_at is not null and day >= $1::date`,
    [from],
  );
  return new Set(rows.map((row) => row.day));
}

/** An import's figures. `errors` names lines; only the first ones are kept, `failed` counts all. */
export type ImportReport = {
  listed: number;
  sent: number;
  known: number;
  failed: number;
  errors: { line: number; reason: string }[];
};

export async function beginImport(
  tx: Tx,
  given: { id: string; source: 'daily' | 'upload'; day: string | null; dryRun: boolean; by: string | null; at: number },
): Promise<void> {
  await tx.query(
    `insert into conversion_imports (import_id, source, day, dry_run, started_at, started_by) values ($1, $2, $3, $4, $5, $6)`,
    [given.id, given.source, given.day, given.dryRun, new Date(given.at), given.by],
  );
}

/** The figures so far; `at` (milliseconds since the Unix epoch) once it has been read to its end. */
export async function saveImport(tx: Tx, id: string, report: ImportReport, at: number | null): Promise<void> {
  await tx.query(
    `update conversion_imports set listed = $2, sent = $3, known = $4, failed = $5, errors = $6, finished_at = $7 where import_id = $1`,
    [
      id,
      report.listed,
      report.sent,
      report.known,
      report.failed,
      JSON.stringify(report.errors),
      at === null ? null : new Date(at),
    ],
  );
}

/** A line of the report: how many conversions of a tenant and day differ, and how many of those still do. */
export type ReportRow = {
  day: string;
  tenant_id: string | null;
  missing_here: number;
  missing_there: number;
  differing: number;
  open: number;
};

/** The report by day and tenant, newest day first. Days as YYYY-MM-DD, both included. Runs in `withOperator` or `withTenant`. */
export async function reconciliationReport(
  tx: Tx,
  params: { from: string; to: string; tenant_id?: string | undefined },
): Promise<ReportRow[]> {
  const { rows } = await tx.query<ReportRow>(
    `select day, tenant_id, (count(*) filter (where kind = 'missing_here'))::int as missing_here,
       (count(*) filter (where kind = 'missing_there'))::int as missing_there, (count(*) filter (where kind = 'differing'))::int as differing,
       (count(*) filter (where healed_at is null))::int as open
     from reconciliation_findings
     where day between $1::date and $2::date and ($3::uuid is null or tenant_id = $3)
     group by day, tenant_id order by day desc, tenant_id nulls last`,
    [params.from, params.to, params.tenant_id ?? null],
  );
  return rows;
}

export type FindingRow = {
  kind: Finding['kind'];
  finding_key: string;
  tenant_id: string | null;
  day: string;
  network_id: string | null;
  conv_id: bigint | null;
  offer_id: number | null;
  here: Record<string, unknown> | null;
  there: Record<string, unknown> | null;
  first_seen: Date;
  last_seen: Date;
  healed_at: Date | null;
  at: bigint;
};

/** Single findings, newest first, from behind `after`. Runs in `withOperator` or `withTenant`. */
export async function listFindings(
  tx: Tx,
  params: {
    from: string;
    to: string;
    tenant_id?: string | undefined;
    kind?: string | undefined;
    open?: boolean | undefined;
    after?: { at: bigint; key: string } | undefined;
    limit: number;
  },
): Promise<FindingRow[]> {
  const { rows } = await tx.query<FindingRow>(
    `select *, (extract(epoch from first_seen) * 1000000)::bigint as at from reconciliation_findings
     where day between $1::date and $2::date and ($3::uuid is null or tenant_id = $3) and ($4::text is null or kind = $4)
       and ($5::bool is null or (healed_at is null) = $5)
       and ($6::bigint is null or (first_seen, kind || ' ' || finding_key) < (${fromMicroseconds('$6')}, $7::text))
     order by first_seen desc, kind || ' ' || finding_key desc limit $8`,
    [
      params.from,
      params.to,
      params.tenant_id ?? null,
      params.kind ?? null,
      params.open ?? null,
      params.after?.at ?? null,
      params.after?.key ?? null,
      params.limit,
    ],
  );
  return rows;
}

/** True if the books know what became of a message, be it that nobody could match it. */
export async function isTaken(tx: Tx, postbackId: bigint): Promise<boolean> {
  const { rowCount } = await tx.query('select 1 from postbacks where postback_id = $1 and received_at = id_time($1)', [
    postbackId,
  ]);
  return rowCount === 1;
}
