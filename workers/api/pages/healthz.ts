import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';

/** `GET /healthz`: the worker answers. It asks nobody else, so that a database that is down takes no worker with it. */
export const healthz = new Hono<ApiContext>().get('/healthz', (c) => c.json({ status: 'ok' }));
