import { type KeptSecrets, resealSecrets, staleSecrets } from '@hissaback/shared/db/queries/webhook-delivery';
import type { Database } from '@hissaback/shared/db/types';
import { type Keyring, keyringFrom } from '@hissaback/shared/domain/keyring';
import { resealWebhookSecret } from '@hissaback/shared/domain/webhook-secret';
import { createLog } from '@hissaback/shared/http/log';
import type { Deps } from './deps.ts';

const AT_ONCE = 100;

/** Gives signing secrets that another key sealed, or none yet, the ring's current one: then the old key can go. Answers how many endpoints had such. */
export async function resealSigningSecrets(
  db: Database,
  env: Pick<WebhookEnv, 'WEBHOOK_KEYS'>,
  deps: Pick<Deps, 'clock' | 'random'>,
): Promise<number> {
  const ring = keyringFrom(env.WEBHOOK_KEYS, 'WEBHOOK_KEYS');
  const log = createLog({ clock: deps.clock, service: 'webhook' });
  let after: string | null = null;
  let resealed = 0;
  for (;;) {
    const page = { keyId: ring.current().id, after, limit: AT_ONCE };
    const stale: KeptSecrets[] = await db.transaction((tx) => staleSecrets(tx, page));
    for (const before of stale) {
      try {
        const fresh = await withCurrentKey(before, ring, deps);
        if (await db.transaction((tx) => resealSecrets(tx, { before, after: fresh }))) resealed++;
      } catch (error) {
        log.error('webhook_secret_unreadable', { endpoint_id: before.endpoint_id, error });
      }
    }
    const last = stale.at(-1);
    if (last === undefined || stale.length < AT_ONCE) return resealed;
    after = last.endpoint_id;
  }
}

async function withCurrentKey(
  before: KeptSecrets,
  ring: Keyring,
  { random }: Pick<Deps, 'random'>,
): Promise<KeptSecrets> {
  const { secret, previous_secret } = before;
  const again = async (kept: string) => (await resealWebhookSecret(kept, before, ring, random)) ?? kept;
  return {
    ...before,
    secret: await again(secret),
    previous_secret: previous_secret === null ? null : await again(previous_secret),
  };
}
