import { z } from 'zod';
import { instant } from './fields.ts';

/** Largest logo, in bytes. */
export const MAX_LOGO_BYTES = 524_288;
/** Largest other image, in bytes. */
export const MAX_ASSET_BYTES = 2_097_152;
/** Files a tenant may have at once, logos among them. */
export const MAX_ASSETS = 200;

/** `PUT /v1/tenants/:tenant_id/logo`. */
export const storedLogo = z.object({ logo_url: z.string() });

/** A name is the hash of what it names, so it never means anything else. */
export const assetName = z.string().regex(/^[0-9a-f]{32}\.(?:png|jpg|webp)$/);

/** A tenant's image, public at `url`. */
export const asset = z.object({
  name: assetName,
  url: z.string(),
  media_type: z.enum(['image/png', 'image/jpeg', 'image/webp']),
  /** Bytes. */
  size: z.int().min(1),
  stored_at: instant,
});
export const assets = z.array(asset);

export type Asset = z.output<typeof asset>;
