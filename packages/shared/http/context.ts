import type { MiddlewareHandler } from 'hono';
import type { Clock, Random } from '../domain/chance.ts';
import type { Principal } from './auth.ts';
import { createLog, type Log } from './log.ts';
import { requestIdOf } from './request-id.ts';

/** What every handler finds on its context. `principal` is there behind `authenticate` only. */
export type HttpVariables = {
  clock: Clock;
  random: Random;
  requestId: string;
  log: Log;
  principal: Principal;
};

export type RequestScope = {
  clock: Clock;
  random: Random;
  /** The worker's name in its log lines. */
  service: string;
  /** Where log lines go; the console unless told. */
  write?: (line: string) => void;
};

/** Puts clock, chance, request id and log on the context, and the id on the answer. The first middleware of every app. */
export function requestScope(scope: RequestScope): MiddlewareHandler<{ Variables: HttpVariables }> {
  return async (c, next) => {
    const requestId = requestIdOf(c.req.header('x-request-id'), scope.random);
    c.set('clock', scope.clock);
    c.set('random', scope.random);
    c.set('requestId', requestId);
    c.set('log', createLog({ ...scope, requestId }));
    await next();
    c.header('x-request-id', requestId);
  };
}
