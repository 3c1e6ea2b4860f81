import type { Clock, Random } from '@hissaback/shared/domain/chance';
import { Hono } from 'hono/tiny';
import { methodNotAllowed, page } from './answers.ts';
import { ClickBuffer } from './click-buffer.ts';
import { DeviceCache } from './device-cache.ts';
import { followLink } from './follow-link.ts';
import { LinkCache } from './link-cache.ts';
import { logError } from './log.ts';

/** The worker's application. Its caches live as long as the isolate and hold plain data only. */
export function createApp(chance: { clock: Clock; random: Random }) {
  const services = {
    ...chance,
    links: new LinkCache(chance.clock),
    devices: new DeviceCache(),
    clicks: new ClickBuffer(chance.clock),
  };
  // There is one route, so the path decides nothing here and is not looked for.
  const app = new Hono<{ Bindings: RedirectEnv }>({ getPath: () => '/' });
  app.all('*', (c) => {
    const { raw } = c.req;
    // Hono answers HEAD through the handler of GET and drops the body; the request still says HEAD.
    if (raw.method !== 'GET' && raw.method !== 'HEAD') return methodNotAllowed(raw, chance.random);
    return followLink(services, raw, c.env, c.executionCtx);
  });
  app.onError((error, c) => {
    logError('redirect_failed', { error: error.name, message: error.message });
    return page(c.req.raw, 'unavailable', chance.random);
  });
  return app;
}
