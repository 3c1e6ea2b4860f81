import type { Tx } from '../types.ts';

export const SWITCH_SCOPES = ['payouts', 'links'] as const;
export type SwitchScope = (typeof SWITCH_SCOPES)[number];

export type KillSwitchRow = {
  switch_id: string;
  scope: SwitchScope;
  /** Null: thrown for all. */
  tenant_id: string | null;
  reason: string;
  thrown_at: Date;
  thrown_by: string;
  cleared_at: Date | null;
  cleared_by: string | null;
};

const COLUMNS = 'switch_id, scope, tenant_id, reason, thrown_at, thrown_by, cleared_at, cleared_by';

/**
 * Throws a switch; the one there is if it was thrown already. Runs in `withOperator`.
 * @returns the switch, and whether it is this one
 */
export async function throwSwitch(
  tx: Tx,
  params: {
    switch_id: string;
    scope: SwitchScope;
    tenant_id: string | null;
    reason: string;
    operator: string;
    at: Date;
  },
): Promise<{ row: KillSwitchRow; isNew: boolean }> {
  const added = await tx.query<KillSwitchRow>(
    `insert into kill_switches (switch_id, scope, tenant_id, reason, thrown_at, thrown_by) values ($1, $2, $3, $4, $5, $6)
     on conflict (scope, coalesce(tenant_id, '00000000-0000-0000-0000-000000000000')) where cleared_at is null do nothing
     returning ${COLUMNS}`,
    [params.switch_id, params.scope, params.tenant_id, params.reason, params.at, params.operator],
  );
  if (added.rows[0] !== undefined) return { row: added.rows[0], isNew: true };
  const thrown = await tx.query<KillSwitchRow>(
    `select ${COLUMNS} from kill_switches where scope = $1 and tenant_id is not distinct from $2 and cleared_at is null`,
    [params.scope, params.tenant_id],
  );
  if (thrown.rows[0] === undefined) throw new Error('the switch was cleared at this moment');
  return { row: thrown.rows[0], isNew: false };
}

/** Clears a switch. Null if there is none such that is thrown. Runs in `withOperator`. */
export async function clearSwitch(
  tx: Tx,
  params: { switch_id: string; operator: string; at: Date },
): Promise<KillSwitchRow | null> {
  const { rows } = await tx.query<KillSwitchRow>(
    `update kill_switches set cleared_at = $2, cleared_by = $3 where switch_id = $1 and cleared_at is null returning ${COLUMNS}`,
    [params.switch_id, params.at, params.operator],
  );
  return rows[0] ?? null;
}

/** Switches, those thrown first, then by when they were; at most `limit`. Runs in `withOperator`. */
export async function listSwitches(tx: Tx, params: { limit: number }): Promise<KillSwitchRow[]> {
  const { rows } = await tx.query<KillSwitchRow>(
    `select ${COLUMNS} from kill_switches order by cleared_at is not null, thrown_at desc, switch_id limit $1`,
    [params.limit],
  );
  return rows;
}

/** True while a switch of the scope stops everybody or this tenant. Any role may ask. */
export async function isStopped(tx: Tx, scope: SwitchScope, tenantId: string): Promise<boolean> {
  const { rows } = await tx.query<{ stopped: boolean }>('select is_stopped($1, $2) as stopped', [scope, tenantId]);
  return rows[0]?.stopped === true;
}

/** True while any switch of the scope is thrown, for whomever. For the payout worker. */
export async function isAnyThrown(tx: Tx, scope: SwitchScope): Promise<boolean> {
  const { rowCount } = await tx.query('select 1 from kill_switches where scope = $1 and cleared_at is null limit 1', [
    scope,
  ]);
  return rowCount === 1;
}
