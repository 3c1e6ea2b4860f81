import { recordAudit } from '@hissaback/shared/db/queries/audit-log';
import type { Tx } from '@hissaback/shared/db/types';
import { mintId } from '@hissaback/shared/domain/click-id';
import type { HttpVariables } from '@hissaback/shared/http/context';

export type Change = {
  /** The tenant that is concerned; null for what concerns none. */
  tenant_id: string | null;
  /** `<thing>.<what was done>`, such as `campaign.created`. */
  action: string;
  /** `<thing>:<id>`. */
  subject: string;
  reason?: string | undefined;
  /** The fields that were set; never a secret or a phone number. */
  details?: Readonly<Record<string, unknown>>;
};

/** Writes a change by the request's principal to the audit log, in the transaction of the change itself. */
export function recordChange(c: { var: HttpVariables }, tx: Tx, change: Change): Promise<void> {
  const { clock, random, principal } = c.var;
  const actor = `${principal.role === 'cron' ? 'cron' : 'user'}:${principal.sub}`;
  return recordAudit(tx, { ...change, audit_id: mintId(clock, random), actor, at: new Date(clock.now()) });
}
