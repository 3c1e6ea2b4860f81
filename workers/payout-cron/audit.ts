import { audit, type Breach } from '@hissaback/shared/db/queries/audit';
import type { Database } from '@hissaback/shared/db/types';

const STATEMENT_TIMEOUT_MS = 120_000;

/** Checks the books (architecture, "Invariants"). A breach is not repaired here: `page` calls a person, and a clean run ends the call. */
export async function auditBooks(
  db: Database,
  page: { breached(breaches: readonly Breach[]): Promise<void>; clean(): Promise<void> },
): Promise<Record<string, number>> {
  const breaches = await db.transaction((tx) => audit(tx), { statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  if (breaches.length > 0) await page.breached(breaches);
  else await page.clean();
  return { breaches: breaches.length };
}
