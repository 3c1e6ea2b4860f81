import type { Tx } from '../types.ts';

/** Two ids of one millisecond meet once in four million: then the one beside it is taken. */
const DRAWS = 8;

export type AuditEntry = {
  /** A BIGINT id with its time in it (`mintId`). */
  audit_id: bigint;
  /** The tenant that is concerned; null for what concerns none. */
  tenant_id: string | null;
  /** `user:<id>`, or who else did it. */
  actor: string;
  /** `<thing>.<what was done>`, such as `campaign.created`. */
  action: string;
  /** `<thing>:<id>`. */
  subject: string;
  reason?: string | undefined;
  /** The fields that were set; never a secret or a phone number. */
  details?: Readonly<Record<string, unknown>> | undefined;
  at: Date;
};

/**
 * Writes one line of the audit log in the transaction of the change itself, so that there is neither without the other. The tenant must be one that the
 * transaction's door opens.
 */
export async function recordAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  for (let draw = 0; draw < DRAWS; draw++) {
    const { rowCount } = await tx.query(
      `insert into audit_log (audit_id, tenant_id, actor, action, subject, reason, details, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
      [
        entry.audit_id ^ BigInt(draw),
        entry.tenant_id,
        entry.actor,
        entry.action,
        entry.subject,
        entry.reason ?? null,
        JSON.stringify(entry.details ?? {}),
        entry.at,
      ],
    );
    if (rowCount === 1) return;
  }
  throw new Error(`${DRAWS} audit ids in a row were taken`);
}
