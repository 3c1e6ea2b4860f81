import { MAX_LOGO_BYTES, storedLogo } from '@hissaback/shared/contracts/assets';
import { setLogo } from '@hissaback/shared/db/queries/tenants';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { readImage } from './image.ts';
import { assetKey, assetUrl } from './keys.ts';
import { storedOrRoom } from './stored.ts';

/**
 * `PUT /v1/tenants/:tenant_id/logo`: the body is a PNG, JPEG or WebP image of at most 512 KB. What it is its first bytes say, not its sender; SVG, which
 * can hold scripts, is refused. Logos before it stay where they are, for pages that show them still.
 */
export const putLogo = new Hono<ApiContext>().put(
  '/v1/tenants/:tenant_id/logo',
  operation({
    id: 'putLogo',
    summary: 'Give a tenant a logo',
    description: 'A PNG, JPEG or WebP image of at most 512 KB.',
    answer: storedLogo,
    body: { type: 'image/*' },
    errors: ['conflict'],
  }),
  authenticate(['creator']),
  async (c) => {
    const { principal, db } = c.var;
    const tenant_id = ownTenant(principal, pathId(c.req.param('tenant_id')));
    await withTenant(db, tenant_id, (tx) => assertMember(tx, principal, tenant_id));
    const { bytes, type, name } = await readImage(c.req.raw, MAX_LOGO_BYTES);
    await storedOrRoom({ bucket: c.env.ASSETS_BUCKET, origin: c.env.PLATFORM_ORIGIN }, tenant_id, name);
    // Stored before it is named: a failure between the two leaves a file that nobody knows of.
    await c.env.ASSETS_BUCKET.put(assetKey(tenant_id, name), bytes, { httpMetadata: { contentType: type.mediaType } });
    const logo_url = assetUrl(c.env.PLATFORM_ORIGIN, tenant_id, name);
    await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      await setLogo(tx, { tenant_id, logo_url });
      const [subject, details] = [`tenant:${tenant_id}`, { logo_url }];
      await recordChange(c, tx, { tenant_id, action: 'tenant.logo_set', subject, details });
    });
    return c.json({ logo_url });
  },
);
