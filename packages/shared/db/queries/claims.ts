import type { Conversion } from '../../domain/conversion.ts';
import type { FraudDecision, FraudInputs } from '../../domain/fraud.ts';
import type { Posting } from '../../domain/journal.ts';
import type { Tx } from '../types.ts';
import { loadConversionsById } from './intake.ts';
import { addRollups, postingRows, type RollupChange, rollupRows } from './intake-write.ts';

/** A conversion that waits for its visitor's login, with the countries that the fraud rules compare. */
export type Claimable = { conversion: Conversion; clickCountry: string | null; country: string | null };

/** Takes the visitor's lock; false if the visitor is not bound to this shopper. */
export async function lockClaim(tx: Tx, claim: { visitorId: string; userId: string }): Promise<boolean> {
  await tx.query('select intake_lock($1::text[])', [[`visitor:${claim.visitorId}`]]);
  const { rowCount } = await tx.query('select 1 from visitors where visitor_id = $1 and user_id = $2', [
    claim.visitorId,
    claim.userId,
  ]);
  return rowCount === 1;
}

/** Takes the lock of a conversion's visitor; false if that visitor belongs to another shopper. */
export async function lockFreeConversion(tx: Tx, claim: { convId: bigint; userId: string }): Promise<boolean> {
  const { rows } = await tx.query<{ visitor_id: string | null }>(
    'select visitor_id from conversion_identities where conv_id = $1',
    [claim.convId],
  );
  const visitorId = rows[0]?.visitor_id ?? null;
  if (visitorId === null) return rows.length === 1;
  await tx.query('select intake_lock($1::text[])', [[`visitor:${visitorId}`]]);
  const { rowCount } = await tx.query('select 1 from visitors where visitor_id = $1 and user_id <> $2', [
    visitorId,
    claim.userId,
  ]);
  return rowCount === 0;
}

/** The visitor's conversions without a shopper, locked, in key order. */
export function loadClaimable(tx: Tx, visitorId: string): Promise<Claimable[]> {
  return lockClaimable(tx, 'c.visitor_id = $1', visitorId);
}

/** One conversion, if it has no shopper yet, locked. */
export function loadClaimableById(tx: Tx, convId: bigint): Promise<Claimable[]> {
  return lockClaimable(tx, 'c.conv_id = $1', convId);
}

async function lockClaimable(tx: Tx, condition: string, value: unknown): Promise<Claimable[]> {
  await tx.query(
    `select 1 from conversion_identities where conv_id in (select c.conv_id from conversions c where ${condition} and c.user_id is null)
     order by conv_id for update`,
    [value],
  );
  // Asked again behind the locks: another claim or an expiry may have been there first.
  const { rows } = await tx.query<{ conv_id: bigint; click_country: string | null; country: string | null }>(
    `select c.conv_id, c.click_country, c.country from conversions c join conversion_identities i on i.conv_id = c.conv_id
     where ${condition} and c.user_id is null and i.expired_to is null order by c.conv_id`,
    [value],
  );
  const conversions = await loadConversionsById(
    tx,
    rows.map((row) => row.conv_id),
  );
  const byId = new Map(conversions.map((conversion) => [conversion.convId, conversion]));
  return rows.flatMap((row) => {
    const conversion = byId.get(row.conv_id);
    return conversion === undefined ? [] : [{ conversion, clickCountry: row.click_country, country: row.country }];
  });
}

/** What the fraud rules say of a conversion now that its shopper is known. */
export type ClaimDecision = { decision: FraudDecision; inputs: FraudInputs };

export type ClaimRows = {
  conversions: readonly Conversion[];
  /** Decisions that are stricter than the one at birth, by conversion: a revived reward must meet them again. */
  stricter: ReadonlyMap<bigint, ClaimDecision>;
  postings: readonly Posting[];
  rollups: readonly RollupChange[];
  shard: number;
  /** Milliseconds since the Unix epoch. */
  at: number;
};

/** Writes a claim: the shopper on conversions and ledger rows, what fraud decided and moved, the postings, the daily figures. */
export async function writeClaim(tx: Tx, userId: string, rows: ClaimRows): Promise<void> {
  const { conversions, stricter, postings, at } = rows;
  const data = {
    claimed: conversions.map((c) => ({
      conv_id: String(c.convId),
      tenant_id: c.tenantId,
      created_at: new Date(c.occurredAt).toISOString(),
      rounds: c.rounds,
      ...fraudColumns(stricter.get(c.convId)),
    })),
    moves: conversions.flatMap((c) =>
      c.ledger.map((row) => ({
        led_id: String(row.ledId),
        tenant_id: c.tenantId,
        created_at: new Date(c.occurredAt).toISOString(),
        status: row.status,
        reason: row.reason,
        status_at: new Date(row.statusAt).toISOString(),
      })),
    ),
    freed: conversions
      .filter((c) => c.ledger.some((row) => row.isChanged && row.status === 'rejected'))
      .map((c) => String(c.convId)),
    postings: postingRows(postings),
  };
  await tx.query(
    `with input as (select $1::jsonb as j),
     identities as (
       update conversion_identities i set rounds = r.rounds from input, jsonb_to_recordset(j -> 'claimed') as r(conv_id bigint, rounds int)
       where i.conv_id = r.conv_id and i.rounds <> r.rounds
     ),
     shoppers as (
       update conversions c set user_id = $2, fraud_score = coalesce(r.fraud_score, c.fraud_score),
         fraud_rules = coalesce(r.fraud_rules, c.fraud_rules), fraud_inputs = coalesce(r.fraud_inputs, c.fraud_inputs)
       from input, jsonb_to_recordset(j -> 'claimed') as r(conv_id bigint, created_at timestamptz, fraud_score int, fraud_rules text[],
         fraud_inputs jsonb)
       where c.conv_id = r.conv_id and c.created_at = r.created_at
     ),
     rewards as (
       update ledger l set user_id = $2, status = r.status, reason = r.reason, status_at = r.status_at
       from input, jsonb_to_recordset(j -> 'moves') as r(led_id bigint, tenant_id uuid, created_at timestamptz, status text, reason text,
         status_at timestamptz)
       where l.led_id = r.led_id and l.tenant_id = r.tenant_id and l.created_at = r.created_at
     ),
     freed as (
       delete from order_keys o using input, jsonb_array_elements_text(j -> 'freed') as f(conv_id) where o.conv_id = f.conv_id::bigint
     ),
     past_freed as (
       delete from order_keys_past o using input, jsonb_array_elements_text(j -> 'freed') as f(conv_id) where o.conv_id = f.conv_id::bigint
     )
     insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
     select r.event_id, r.account, r.amount, r.currency, r.tenant_id, r.kind, $3
     from input, jsonb_to_recordset(j -> 'postings') as r(event_id text, account text, amount numeric, currency text, tenant_id uuid, kind text)`,
    [JSON.stringify(data), userId, new Date(at)],
  );
  if (rows.rollups.length > 0)
    await tx.query(addRollups('$1', '$2'), [JSON.stringify({ rollups: rollupRows(rows.rollups) }), rows.shard]);
}

function fraudColumns(decided: ClaimDecision | undefined): Record<string, unknown> {
  if (decided === undefined) return {};
  const { verdict, score, rules } = decided.decision;
  return { fraud_score: score, fraud_rules: rules, fraud_inputs: { ...decided.inputs, verdict } };
}

/** A conversion that was on its way when its visitor was bound has landed after this long, in milliseconds. */
const LANDED_MS = 3_600_000;

/** What waits for a visitor; what had expired before is nobody's to claim. */
const WAITING = `select 1 from conversions c join conversion_identities i on i.conv_id = c.conv_id
  where c.visitor_id = v.visitor_id and c.user_id is null and i.expired_to is null`;

/**
 * Visitors who belong to a shopper while conversions of theirs do not, longest bound first: claims that never arrived. `now` in milliseconds since the Unix
 * epoch.
 */
export async function unattachedClaims(
  tx: Tx,
  { now, limit }: { now: number; limit: number },
): Promise<{ visitorId: string; userId: string }[]> {
  const { rows } = await tx.query<{ visitor_id: string; user_id: string }>(
    `select v.visitor_id, v.user_id from visitors v
     where v.user_id is not null and v.claimed_at is null and exists (${WAITING}) order by v.bound_at, v.visitor_id limit $1`,
    [limit],
  );
  // Of everybody else nothing can be waiting any more: the next sweep need not look.
  await tx.query(
    `update visitors v set claimed_at = $1
     where v.user_id is not null and v.claimed_at is null and v.bound_at < $2 and not exists (${WAITING})`,
    [new Date(now), new Date(now - LANDED_MS)],
  );
  return rows.map((row) => ({ visitorId: row.visitor_id, userId: row.user_id }));
}
