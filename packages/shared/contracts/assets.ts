import { z } from 'zod';

/** Largest logo, in bytes. */
export const MAX_LOGO_BYTES = 524_288;

/** `PUT /v1/tenants/:tenant_id/logo`. */
export const storedLogo = z.object({ logo_url: z.string() });
