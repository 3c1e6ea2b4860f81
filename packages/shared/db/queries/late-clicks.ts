import type { FraudDecision, FraudInputs } from '../../domain/fraud.ts';
import type { Tx } from '../types.ts';

/** A conversion that was judged before its click's country was known, and the country. */
export type LateClick = {
  convId: bigint;
  tenantId: string;
  /** The conversion's time, which is its partition's. */
  createdAt: Date;
  inputs: FraudInputs & { verdict: FraudDecision['verdict'] };
  clickCountry: string;
  /** The tenant's rules in force; null where it never set any. */
  rules: unknown;
  settingsVersion: number;
};

const OVERTAKEN = `from conversion_identities i
  join conversions c on c.conv_id = i.conv_id and c.created_at = i.occurred_at
  join clicks k on k.click_id = i.click_id and k.created_at = id_time(i.click_id)
  where i.click_id = any($1::bigint[]) and c.click_country is null and k.country is not null
    and k.link_id = i.link_id and k.visitor_id is not distinct from i.visitor_id`;

/** Which of these clicks are here now, after a conversion that was judged without them. */
export async function overtakenClicks(tx: Tx, clickIds: readonly bigint[]): Promise<bigint[]> {
  const { rows } = await tx.query<{ click_id: bigint }>(`select distinct i.click_id ${OVERTAKEN}`, [clickIds]);
  return rows.map((row) => row.click_id);
}

/** Their conversions, locked in key order, each as it stands behind the lock. */
export async function lockOvertaken(tx: Tx, clickIds: readonly bigint[]): Promise<LateClick[]> {
  await tx.query(
    'select 1 from conversion_identities where click_id = any($1::bigint[]) order by conv_id for no key update',
    [clickIds],
  );
  const { rows } = await tx.query<LateClick>(
    `select c.conv_id as "convId", c.tenant_id as "tenantId", c.created_at as "createdAt", c.fraud_inputs as inputs, k.country as "clickCountry",
       (select f.rules from fraud_settings f where f.tenant_id = c.tenant_id order by f.version desc limit 1) as rules,
       coalesce((select max(f.version) from fraud_settings f where f.tenant_id = c.tenant_id), 0) as "settingsVersion"
     ${OVERTAKEN} order by c.conv_id`,
    [clickIds],
  );
  return rows;
}

/** What the rules say of a conversion with its click's country. */
export type LateDecision = { late: LateClick; inputs: FraudInputs; decision: FraudDecision };

/**
 * Writes the country and what it led to; a reward that still waits goes to review where a person is to look.
 * @param at milliseconds since the Unix epoch
 */
export async function writeLateDecisions(tx: Tx, decided: readonly LateDecision[], at: number): Promise<void> {
  const rows = decided.map(({ late, inputs, decision }) => ({
    conv_id: String(late.convId),
    tenant_id: late.tenantId,
    created_at: late.createdAt.toISOString(),
    click_country: late.clickCountry,
    fraud_score: decision.score,
    fraud_rules: decision.rules,
    fraud_inputs: { ...inputs, verdict: decision.verdict },
    // Only what was clear before: refused stays refused, and what a person released is not asked for again.
    to_review: decision.verdict === 'review' && late.inputs.verdict === 'clear',
    reason: decision.rules[0] ?? 'fraud',
  }));
  await tx.query(
    `with input as (
       select r.* from jsonb_to_recordset($1::jsonb) as r(conv_id bigint, tenant_id uuid, created_at timestamptz, click_country text, fraud_score int,
         fraud_rules text[], fraud_inputs jsonb, to_review boolean, reason text)),
     judged as (
       update conversions c set click_country = r.click_country, fraud_score = r.fraud_score, fraud_rules = r.fraud_rules, fraud_inputs = r.fraud_inputs
       from input r where c.conv_id = r.conv_id and c.created_at = r.created_at
     )
     update ledger l set status = 'review', reason = r.reason, status_at = $2
     from input r where r.to_review and l.conv_id = r.conv_id and l.tenant_id = r.tenant_id and l.created_at = r.created_at and l.status = 'pending'`,
    [JSON.stringify(rows), new Date(at)],
  );
}
