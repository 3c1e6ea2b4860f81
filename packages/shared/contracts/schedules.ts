/** Workers that have schedules: each exports the entrypoint `Schedules` with `run(name)`. */
export type ScheduledWorker = 'api' | 'webhook' | 'payout-cron';

export type Schedule = {
  name: string;
  worker: ScheduledWorker;
  /** Cron expression of the worker's `triggers`, in UTC. */
  cron: string;
};

/** Every schedule of the platform. The workers' wrangler.toml files carry the same expressions (a test compares them). */
export const SCHEDULES = [
  { name: 'publish', worker: 'api', cron: '*/2 * * * *' },
  { name: 'offer-sync', worker: 'webhook', cron: '17 * * * *' },
  { name: 'reconcile', worker: 'webhook', cron: '30 21 * * *' },
  { name: 'rematch', worker: 'webhook', cron: '*/10 * * * *' },
  { name: 'expire-unclaimed', worker: 'webhook', cron: '40 2 * * *' },
  { name: 'tidy', worker: 'webhook', cron: '50 3 * * *' },
  { name: 'inbox', worker: 'webhook', cron: '* * * * *' },
  { name: 'webhooks', worker: 'webhook', cron: '*/1 * * * *' },
  { name: 'payout', worker: 'payout-cron', cron: '* * * * *' },
  { name: 'release', worker: 'payout-cron', cron: '*/5 * * * *' },
  { name: 'nightly-retry', worker: 'payout-cron', cron: '45 20 * * *' },
  { name: 'audit', worker: 'payout-cron', cron: '23 * * * *' },
  { name: 'partitions', worker: 'payout-cron', cron: '5 3 * * *' },
] as const satisfies readonly Schedule[];

export type ScheduleName = (typeof SCHEDULES)[number]['name'];

/** What a schedule's run says when it has ended; `counts` are the run's own numbers (rows released, payouts made). */
export type RunReport = {
  schedule: string;
  ok: boolean;
  counts: Record<string, number>;
  error?: string;
};

/** The schedule of `worker` behind a cron expression, for its `scheduled` handler; undefined if it has none. */
export function scheduleOf(worker: ScheduledWorker, cron: string): Schedule | undefined {
  return SCHEDULES.find((schedule) => schedule.worker === worker && schedule.cron === cron);
}
