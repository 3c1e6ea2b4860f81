import { createPartitions, missingPartitions } from '@hissaback/shared/db/queries/partitions';
import type { PayoutDeps } from './deps.ts';
import { page } from './page.ts';

const MONTHS_BACK = 1;
const MONTHS_AHEAD = 3;

/** Makes the partitions of the coming months; pages when this or the next month's were missing, because events were waiting for them. */
export async function partitions(deps: PayoutDeps): Promise<Record<string, number>> {
  const now = deps.clock.now();
  const { missing, created } = await deps.db.transaction(async (tx) => ({
    missing: await missingPartitions(tx, now),
    created: await createPartitions(tx, now, MONTHS_BACK, MONTHS_AHEAD),
  }));
  if (missing.length > 0) {
    await page(deps, {
      dedupKey: 'partitions-missing',
      summary: 'Partitions of this or the next month were missing; they have been made',
      severity: 'error',
      details: { missing: missing.length, first: missing[0] ?? '' },
    });
  }
  return { created, missing: missing.length };
}
