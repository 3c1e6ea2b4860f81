import type { Pager } from '@hissaback/shared/clients/pager';
import type { Deps } from './deps.ts';

export const PAGER_SOURCE = 'hissaback-webhook';

/** Where this worker calls for operators. */
export function pagerOf(env: WebhookEnv, deps: Deps): Pager {
  return {
    endpoint: env.PAGER_ENDPOINT,
    routingKey: env.PAGER_ROUTING_KEY,
    fetch: (url, init) => deps.fetch(url, init),
  };
}
