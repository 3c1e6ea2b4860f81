import { WorkerEntrypoint } from 'cloudflare:workers';
import { type RunReport, scheduleOf } from '@hissaback/shared/contracts/schedules';
import { systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import { createApp } from './app.ts';
import { consumeClicks } from './clicks-queue.ts';
import { consumeDeadLetters } from './dead-letters-queue.ts';
import { consumeWebhooks } from './deliver-queue.ts';
import type { Deps } from './deps.ts';
import { consumePostbacks } from './postbacks-queue.ts';
import { runSchedule } from './schedules.ts';
import { takeUpload, type UploadReport } from './uploads.ts';

const deps: Deps = { clock: systemClock, random: systemRandom, fetch: (input, init) => fetch(input, init) };
const app = createApp(deps);

/** What the local stack, and operators through the api, may run by name. */
export class Schedules extends WorkerEntrypoint<WebhookEnv> {
  run(name: string): Promise<RunReport> {
    return runSchedule(name, this.env, deps);
  }
}

/** What the api passes on, because only this worker may compare with the books. */
export class Imports extends WorkerEntrypoint<WebhookEnv> {
  take(body: ReadableStream<Uint8Array>, options: { dryRun: boolean; by: string | null }): Promise<UploadReport> {
    return takeUpload(this.env, deps, { body, ...options });
  }
}

export default {
  fetch: app.fetch,
  async queue(batch, env) {
    if (batch.queue.endsWith('-dlq')) await consumeDeadLetters(batch, env, deps);
    else if (batch.queue === 'hissaback-clicks') await consumeClicks(batch, env, deps);
    else if (batch.queue === 'hissaback-webhooks') await consumeWebhooks(batch, env, deps);
    else await consumePostbacks(batch, env, deps);
  },
  async scheduled(controller, env) {
    const schedule = scheduleOf('webhook', controller.cron);
    if (schedule !== undefined) await runSchedule(schedule.name, env, deps);
  },
} satisfies ExportedHandler<WebhookEnv>;
