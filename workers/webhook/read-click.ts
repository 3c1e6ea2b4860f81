import { parseClickId } from '@hissaback/shared/domain/click-id';
import { verifyClickReference } from '@hissaback/shared/domain/click-reference';
import type { EventClick } from '@hissaback/shared/domain/intake';
import { keyringFrom } from '@hissaback/shared/domain/keyring';

/**
 * The click that a text names: a bare id, or a reference of ours whose MAC is right; null for anything else.
 * @param at when it reached us, milliseconds since the Unix epoch: retired keys are judged by it
 */
export async function readClick(text: string, env: WebhookEnv, at: number): Promise<EventClick | null> {
  const bare = parseClickId(text, at);
  if (bare !== null) return { kind: 'bare', clickId: bare };
  const reference = await verifyClickReference(keyringFrom(env.REFERENCE_KEYS, 'REFERENCE_KEYS'), text, at);
  return reference.ok
    ? { kind: 'reference', clickId: reference.clickId, linkId: reference.linkId, visitorId: reference.visitorId }
    : null;
}
