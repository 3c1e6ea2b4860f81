import type { Clock, Random } from '@hissaback/shared/domain/chance';
import { Hono } from 'hono/tiny';
import { methodNotAllowed, page } from './answers.ts';
import { ClickBuffer } from './click-buffer.ts';
import { followLink } from './follow-link.ts';
import { LinkCache } from './link-cache.ts';
import { logError } from './log.ts';

/** The worker's application. Its caches live as long as the isolate and hold plain data only. */
export function createApp(chance: { clock: Clock; random: Random }) {
  const services = { ...chance, links: new LinkCache(chance.clock), clicks: new ClickBuffer(chance.clock) };
  const app = new Hono<{ Bindings: RedirectEnv }>();
  app.all('*', (c) => {
    // Hono answers HEAD through the handler of GET and drops the body; the request still says HEAD.
    if (c.req.raw.method !== 'GET' && c.req.raw.method !== 'HEAD') return methodNotAllowed(c.req.raw, chance.random);
    return followLink(services, c.req.raw, c.env, c.executionCtx);
  });
  app.onError((error, c) => {
    logError('redirect_failed', { error: error.name, message: error.message });
    return page(c.req.raw, 'unavailable', chance.random);
  });
  return app;
}
