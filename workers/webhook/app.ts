import { type HttpVariables, requestScope } from '@hissaback/shared/http/context';
import { notFound, onError, ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { Deps } from './deps.ts';
import { takeDeliveryReports } from './take-delivery-reports.ts';
import { takePostback } from './take-postback.ts';

/** The webhook worker's routes: what partners call. Everything else it does comes from queues and schedules. */
export function createApp(deps: Deps): Hono<{ Bindings: WebhookEnv; Variables: HttpVariables }> {
  const app = new Hono<{ Bindings: WebhookEnv; Variables: HttpVariables }>();
  app.use(requestScope({ clock: deps.clock, random: deps.random, service: 'webhook' }));
  // Every method comes here: Hono would serve HEAD by GET's handler, and a probe must not become a conversion.
  app.all('/v1/events/conversion', (c) => {
    if (c.req.method !== 'GET' && c.req.method !== 'POST')
      throw new ProblemError('method_not_allowed', { headers: { allow: 'GET, POST' } });
    return takePostback(c.req.raw, c.env, deps);
  });
  app.all('/v1/events/sms', (c) => {
    if (c.req.method !== 'POST') throw new ProblemError('method_not_allowed', { headers: { allow: 'POST' } });
    return takeDeliveryReports(c.req.raw, c.env, deps);
  });
  app.onError(onError);
  app.notFound(notFound(app));
  return app;
}
