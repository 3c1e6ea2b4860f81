import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import type { MiddlewareHandler } from 'hono';
import type { ApiContext } from '../context.ts';

/** Puts the request's database on the context, and closes it behind the answer. Nothing is connected unless a handler asks. */
export const requestDatabase: MiddlewareHandler<ApiContext> = async (c, next) => {
  const db = openDatabase(databaseBinding(c.env), { random: c.var.random });
  c.set('db', db);
  await next();
  c.executionCtx.waitUntil(db.end());
};
