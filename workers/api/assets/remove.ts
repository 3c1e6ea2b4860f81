import { assetName } from '@hissaback/shared/contracts/assets';
import { tenantById } from '@hissaback/shared/db/queries/tenants';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { assertMember, ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { assetKey, assetUrl } from './keys.ts';

/** `DELETE /v1/assets/:asset_name`: the file is gone, though browsers may keep what they have seen. The logo in use stays. */
export const removeAsset = new Hono<ApiContext>().delete(
  '/v1/assets/:asset_name',
  operation({
    id: 'removeAsset',
    summary: 'Remove an image of a tenant',
    answer: { 204: { description: 'Done' } },
    params: { asset_name: assetName },
    errors: ['conflict'],
  }),
  authenticate(['creator']),
  async (c) => {
    const { principal, db } = c.var;
    const tenant_id = ownTenant(principal, undefined);
    const name = c.req.param('asset_name');
    const key = assetKey(tenant_id, name);
    const bucket = c.env.ASSETS_BUCKET;
    if (!assetName.safeParse(name).success || (await bucket.head(key)) === null) throw new ProblemError('not_found');
    await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      const tenant = await tenantById(tx, { tenant_id });
      if (tenant?.logo_url === assetUrl(c.env.PLATFORM_ORIGIN, tenant_id, name)) {
        throw new ProblemError('conflict', { detail: 'It is the logo in use. Give the tenant another one first.' });
      }
      await recordChange(c, tx, { tenant_id, action: 'asset.removed', subject: `asset:${name}` });
    });
    await bucket.delete(key);
    return c.body(null, 204);
  },
);
