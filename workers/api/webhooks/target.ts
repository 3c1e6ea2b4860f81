import { targetRefusal, webhookTargets } from '@hissaback/shared/domain/webhook-target';
import { invalidField } from '@hissaback/shared/http/problem';

/**
 * Refuses what we would never call: other machines of ours, private addresses, and in production anything but https.
 *
 * @throws ProblemError `invalid_field` (422)
 */
export function assertTarget(url: string, env: Pick<ApiEnv, 'WEBHOOK_TARGETS' | 'PLATFORM_ORIGIN'>): void {
  const refusal = targetRefusal(url, webhookTargets(env.WEBHOOK_TARGETS));
  if (refusal !== null) throw invalidField('url', refusal);
  if (URL.parse(url)?.host === new URL(env.PLATFORM_ORIGIN).host) throw invalidField('url', 'Must not be the platform');
}
