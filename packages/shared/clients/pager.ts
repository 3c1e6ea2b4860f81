/** How long the pager may take, in milliseconds. */
export const PAGER_TIMEOUT_MS = 5_000;

const LONGEST_SUMMARY = 1_024;

/** PagerDuty's Events API v2, or what speaks like it. */
export type Pager = {
  /** Origin, for example `https://events.pagerduty.com`. */
  readonly endpoint: string;
  readonly routingKey: string;
  readonly fetch: (input: URL, init: RequestInit) => Promise<Response>;
};

export type Page = {
  /** Pages with the same key are one incident until it is resolved. */
  readonly dedupKey: string;
  /** What a person reads first. No phone numbers, codes or tokens. */
  readonly summary: string;
  readonly severity: 'critical' | 'error' | 'warning' | 'info';
  /** The worker that asks for help. */
  readonly source: string;
  readonly details?: Readonly<Record<string, string | number>>;
};

/** Calls for an operator; false if the pager did not take it. Never throws: a broken pager breaks no run. */
export function triggerPage(pager: Pager, page: Page): Promise<boolean> {
  const { dedupKey, summary, severity, source, details } = page;
  const payload = { summary: summary.slice(0, LONGEST_SUMMARY), severity, source, custom_details: details ?? {} };
  return enqueue(pager, { event_action: 'trigger', dedup_key: dedupKey, payload });
}

/** Ends the incident of that key, if there is one. Never throws. */
export function resolvePage(pager: Pager, dedupKey: string): Promise<boolean> {
  return enqueue(pager, { event_action: 'resolve', dedup_key: dedupKey });
}

async function enqueue(pager: Pager, event: Readonly<Record<string, unknown>>): Promise<boolean> {
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), PAGER_TIMEOUT_MS);
  try {
    const response = await pager.fetch(new URL('/v2/enqueue', pager.endpoint), {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ routing_key: pager.routingKey, ...event }),
      signal: aborter.signal,
    });
    // Read, so that the connection is free again.
    await response.text();
    return response.status >= 200 && response.status < 300;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
