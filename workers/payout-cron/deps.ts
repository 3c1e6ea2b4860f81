import type { Database } from '@hissaback/shared/db/client';
import type { AgcodGate } from '@hissaback/shared/domain/agcod-gate';
import type { Clock, Random } from '@hissaback/shared/domain/chance';
import type { EvidenceBucket } from './intents.ts';

/** The texts among the worker's bindings. */
export type PayoutSettings = Omit<PayoutEnv, 'DB' | 'EVIDENCE' | 'AGCOD_GATE'>;

/** What every schedule takes from outside. */
export type PayoutDeps = {
  /** Transactions asked for at once are done one after another. */
  readonly db: Database;
  readonly settings: PayoutSettings;
  readonly gate: AgcodGate;
  readonly evidence: EvidenceBucket;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: (input: string | URL, init: RequestInit) => Promise<Response>;
  /** Waits for a number of milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
};
