import { type Page, type Pager, resolvePage, triggerPage } from '@hissaback/shared/clients/pager';
import type { PayoutDeps } from './deps.ts';
import { logEvent } from './log.ts';

const SOURCE = 'hissaback-payout-cron';

/** Calls for an operator; false if the pager did not take it, which breaks no run. */
export async function page(deps: PayoutDeps, message: Omit<Page, 'source'>): Promise<boolean> {
  const sent = await triggerPage(pagerOf(deps), { ...message, source: SOURCE });
  logEvent(sent ? 'info' : 'error', sent ? 'paged' : 'page_not_delivered', { dedup_key: message.dedupKey });
  return sent;
}

/** Ends an incident that is over. */
export async function unpage(deps: PayoutDeps, dedupKey: string): Promise<boolean> {
  return resolvePage(pagerOf(deps), dedupKey);
}

function pagerOf({ settings, fetch }: PayoutDeps): Pager {
  return { endpoint: settings.PAGER_ENDPOINT, routingKey: settings.PAGER_ROUTING_KEY, fetch };
}
