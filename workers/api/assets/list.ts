import { assets, MAX_ASSETS } from '@hissaback/shared/contracts/assets';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { storedAssets } from './stored.ts';

/** `GET /v1/assets`: the tenant's images, logos among them, newest first. There are at most 200. */
export const listAssets = new Hono<ApiContext>().get(
  '/v1/assets',
  operation({ id: 'listAssets', summary: 'List the images of a tenant', answer: assets }),
  authenticate(['creator']),
  async (c) => {
    const place = { bucket: c.env.ASSETS_BUCKET, origin: c.env.PLATFORM_ORIGIN };
    const stored = await storedAssets(place, ownTenant(c.var.principal, undefined));
    return c.json(stored.slice(0, MAX_ASSETS));
  },
);
