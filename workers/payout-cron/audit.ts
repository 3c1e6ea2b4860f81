import { audit as auditBooks } from '@hissaback/shared/db/queries/audit';
import type { PayoutDeps } from './deps.ts';
import { logEvent } from './log.ts';
import { page, unpage } from './page.ts';

const STATEMENT_TIMEOUT_MS = 120_000;
const DEDUP_KEY = 'audit';

/** Checks the books (architecture, "Invariants"). A breach is not repaired here: it calls a person, and the next clean run ends the call. */
export async function audit(deps: PayoutDeps): Promise<Record<string, number>> {
  const breaches = await deps.db.transaction((tx) => auditBooks(tx), { statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  for (const { invariant, says, count } of breaches) logEvent('error', 'invariant_broken', { invariant, says, count });
  if (breaches.length === 0) await unpage(deps, DEDUP_KEY);
  else
    await page(deps, {
      dedupKey: DEDUP_KEY,
      summary: `The books break ${breaches.map(({ invariant, count }) => `${invariant} (${count})`).join(', ')}: run the audit and see docs/operations.md`,
      severity: 'critical',
    });
  return { breaches: breaches.length };
}
