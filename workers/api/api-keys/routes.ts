import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { createApiKey } from './create.ts';
import { listApiKeysRoute } from './list.ts';
import { revokeApiKeyRoute } from './revoke.ts';

/** Keys for creators' own servers. */
export const apiKeyRoutes = new Hono<ApiContext>()
  .route('/', createApiKey)
  .route('/', listApiKeysRoute)
  .route('/', revokeApiKeyRoute);
