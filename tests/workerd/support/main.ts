import { targetOf } from '../../../sandbox/gateway/routes.ts';
import api from '../../../workers/api/index.ts';
import payout, * as payoutCron from '../../../workers/payout-cron/index.ts';
import webhook, * as webhookWorker from '../../../workers/webhook/index.ts';

export * from '../../../durable-objects/index.ts';

/** Every binding of every worker; the databases apart. */
export type PlatformEnv = Omit<ApiEnv & WebhookEnv & PayoutEnv, 'DB'> & {
  DB_API: Hyperdrive;
  DB_WEBHOOK: Hyperdrive;
  DB_PAYOUT_CRON: Hyperdrive;
  DB_OWNER: Hyperdrive;
};

/** A worker's environment: its own role's database under the name that it knows. */
export const envOf = {
  api: (env: PlatformEnv): ApiEnv => ({ ...env, DB: env.DB_API }),
  webhook: (env: PlatformEnv): WebhookEnv => ({ ...env, DB: env.DB_WEBHOOK }),
  payout: (env: PlatformEnv): PayoutEnv => ({ ...env, DB: env.DB_PAYOUT_CRON }),
};

export class PayoutSchedules extends payoutCron.Schedules {
  constructor(context: ExecutionContext, env: PlatformEnv) {
    super(context, envOf.payout(env));
  }
}

export class Payouts extends payoutCron.Payouts {
  constructor(context: ExecutionContext, env: PlatformEnv) {
    super(context, envOf.payout(env));
  }
}

export class Imports extends webhookWorker.Imports {
  constructor(context: ExecutionContext, env: PlatformEnv) {
    super(context, envOf.webhook(env));
  }
}

/** One worker in place of the platform's: each part answers what the gateway would send it. */
export default {
  fetch: (request, env, context) =>
    targetOf(new URL(request.url).pathname) === 'webhook'
      ? webhook.fetch(request, envOf.webhook(env), context)
      : api.fetch(request, envOf.api(env), context),
  queue: (batch, env) => webhook.queue(batch, envOf.webhook(env)),
  scheduled: (controller, env) => payout.scheduled(controller, envOf.payout(env)),
} satisfies ExportedHandler<PlatformEnv>;
