import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { eraseRoute } from './erase.ts';
import { exportRoute } from './export.ts';
import { getProfile } from './get.ts';
import { kycRoute } from './kyc.ts';
import { updateProfileRoute } from './update.ts';

/** One's own profile. */
export const profileRoutes = new Hono<ApiContext>()
  .route('/', getProfile)
  .route('/', updateProfileRoute)
  .route('/', eraseRoute)
  .route('/', kycRoute)
  .route('/', exportRoute);
