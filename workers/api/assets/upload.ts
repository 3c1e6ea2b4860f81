import { asset, MAX_ASSET_BYTES } from '@hissaback/shared/contracts/assets';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { readImage } from './image.ts';
import { assetKey, assetUrl } from './keys.ts';
import { storedOrRoom } from './stored.ts';

/** `POST /v1/assets`: an image for the tenant's pages and widgets. The same image again is the same file. */
export const uploadAsset = new Hono<ApiContext>().post(
  '/v1/assets',
  operation({
    id: 'uploadAsset',
    summary: 'Store an image of a tenant',
    description: 'A PNG, JPEG or WebP image of at most 2 MB, which everybody can see at its address.',
    answer: asset,
    body: { type: 'image/*' },
    errors: ['conflict'],
  }),
  authenticate(['creator']),
  async (c) => {
    const { principal, clock, db } = c.var;
    const tenant_id = ownTenant(principal, undefined);
    const { bytes, type, name } = await readImage(c.req.raw, MAX_ASSET_BYTES);
    await withTenant(db, tenant_id, (tx) => assertMember(tx, principal, tenant_id));
    const place = { bucket: c.env.ASSETS_BUCKET, origin: c.env.PLATFORM_ORIGIN };
    const known = await storedOrRoom(place, tenant_id, name);
    if (known !== null) return c.json(known);
    const stored_at = new Date(clock.now()).toISOString();
    await place.bucket.put(assetKey(tenant_id, name), bytes, { httpMetadata: { contentType: type.mediaType } });
    const details = { size: bytes.length };
    await withTenant(db, tenant_id, (tx) =>
      recordChange(c, tx, { tenant_id, action: 'asset.stored', subject: `asset:${name}`, details }),
    );
    const url = assetUrl(place.origin, tenant_id, name);
    return c.json({ name, url, media_type: type.mediaType, size: bytes.length, stored_at });
  },
);
