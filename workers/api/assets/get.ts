import { assetName } from '@hissaback/shared/contracts/assets';
import { imageTypeNamed } from '@hissaback/shared/domain/image-type';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { pathId } from '../http/ownership.ts';
import { assetKey } from './keys.ts';

/** `GET /assets/:tenant_id/:name`: a tenant's public file, to be kept for ever, shown on any site and run by none. */
export const getAsset = new Hono<ApiContext>().get('/assets/:tenant_id/:name', async (c) => {
  const tenant_id = pathId(c.req.param('tenant_id'));
  const name = c.req.param('name');
  const mediaType = assetName.safeParse(name).success ? imageTypeNamed(name.split('.')[1] ?? '') : null;
  const object = mediaType === null ? null : await c.env.ASSETS_BUCKET.get(assetKey(tenant_id, name));
  if (object === null || mediaType === null) throw new ProblemError('not_found');
  return new Response(object.body, {
    headers: {
      'content-type': mediaType,
      'content-length': String(object.size),
      'cache-control': 'public, max-age=31536000, immutable',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
    },
  });
});
