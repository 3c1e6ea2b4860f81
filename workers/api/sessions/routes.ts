import { Hono } from 'hono';
import type { IdentityEnv } from '../identity/env.ts';
import { endSessionRoute } from './end.ts';
import { listSessions } from './list.ts';
import { logoutAll } from './logout-all.ts';

/** One's own sessions. */
export const sessionRoutes = new Hono<IdentityEnv>()
  .route('/', listSessions)
  .route('/', endSessionRoute)
  .route('/', logoutAll);
