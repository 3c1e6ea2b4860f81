import type { Payout } from '@hissaback/shared/db/queries/payouts';
import { formatPaise, parsePaise } from '@hissaback/shared/domain/money';

const PREFIX = 'payout-intents';
const DAY_MS = 86_400_000;

/** The part of an R2 bucket that evidence needs. */
export type EvidenceBucket = {
  put(key: string, value: string, options: { onlyIf: { etagDoesNotMatch: string } }): Promise<unknown>;
  get(key: string): Promise<{ text(): Promise<string> } | null>;
  list(options: { prefix: string; cursor?: string }): Promise<{
    objects: readonly { key: string }[];
    truncated: boolean;
    cursor?: string;
  }>;
};

/** What is about to be bought, for whom: enough to ask for the same card again without the database. */
export type Intent = Pick<
  Payout,
  | 'payoutId'
  | 'tenantId'
  | 'side'
  | 'payee'
  | 'userId'
  | 'currency'
  | 'amount'
  | 'creationRequestId'
  | 'endpoint'
  | 'region'
  | 'partnerId'
>;

/**
 * Writes a payout's intent before its first call, create-only: a second writing leaves the first (money rule 17).
 * @param now milliseconds since the Unix epoch: its UTC day is where a replay will look
 */
export async function storeIntent(evidence: EvidenceBucket, intent: Intent, now: number): Promise<void> {
  const { payoutId, tenantId, side, payee, userId, currency, amount, creationRequestId } = intent;
  const { endpoint, region, partnerId } = intent;
  const body = JSON.stringify({
    payoutId,
    tenantId,
    side,
    payee,
    userId,
    currency,
    amount: formatPaise(amount),
    creationRequestId,
    endpoint,
    region,
    partnerId,
    writtenAt: new Date(now).toISOString(),
  });
  await evidence.put(`${PREFIX}/${dayOf(now)}/${payoutId}.json`, body, { onlyIf: { etagDoesNotMatch: '*' } });
}

/** The payout ids of all intents written from the UTC day of `from` to that of `to`, with their keys, a page at a time. */
export async function* intentsBetween(
  evidence: EvidenceBucket,
  from: number,
  to: number,
): AsyncGenerator<{ key: string; payoutId: string }[]> {
  for (let at = from; dayOf(at) <= dayOf(to); at += DAY_MS) {
    let cursor: string | undefined;
    do {
      const prefix = `${PREFIX}/${dayOf(at)}/`;
      const listed = await evidence.list(cursor === undefined ? { prefix } : { prefix, cursor });
      yield listed.objects.map(({ key }) => ({ key, payoutId: key.slice(prefix.length, -'.json'.length) }));
      cursor = listed.truncated ? listed.cursor : undefined;
    } while (cursor !== undefined);
  }
}

/** Reads an intent back; null if it is not there. */
export async function readIntent(evidence: EvidenceBucket, key: string): Promise<Intent | null> {
  const object = await evidence.get(key);
  if (object === null) return null;
  const stored = JSON.parse(await object.text()) as Omit<Intent, 'amount'> & { amount: string };
  return { ...stored, amount: parsePaise(stored.amount) };
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
