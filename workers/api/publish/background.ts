import type { Context } from 'hono';
import type { ApiContext } from '../context.ts';
import { runPublish } from './run.ts';
import { publishBehind } from './sweep.ts';

/** Copies to KV, behind the answer, what a change has put behind: many links at once may follow a campaign or a tenant. The schedule mends the rest. */
export function publishInBackground(c: Context<ApiContext>): void {
  c.executionCtx.waitUntil(runPublish(c.env, c.var, publishBehind));
}
