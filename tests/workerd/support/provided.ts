import type { TestDatabase } from '../../support/postgres.ts';

/** What the workers meet outside the runtime: a database of this run and the stand-ins, with the keys these ask for. */
export type Outside = {
  database: Pick<TestDatabase, 'owner' | 'api' | 'webhook' | 'payout'>;
  agcod: string;
  sms: string;
  pager: string;
  secrets: { accessKeyId: string; secretAccessKey: string; smsKey: string; routingKey: string };
};

/** AGCOD's name of the account. */
export const PARTNER_ID = 'Hissa';

declare module 'vitest' {
  interface ProvidedContext {
    outside: Outside;
  }
}
