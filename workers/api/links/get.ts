import { link } from '@hissaback/shared/contracts/links';
import { linkById } from '@hissaback/shared/db/queries/links';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { linkView } from './view.ts';

/** `GET /v1/links/:link_id`. */
export const getLink = new Hono<ApiContext>().get(
  '/v1/links/:link_id',
  operation({ id: 'getLink', summary: 'Get a link', answer: link }),
  authenticate(['creator']),
  async (c) => {
    const link_id = pathId(c.req.param('link_id'));
    const tenant_id = ownTenant(c.var.principal, undefined);
    const row = await withTenant(c.var.db, tenant_id, (tx) => linkById(tx, { tenant_id, link_id }));
    if (row === null) throw new ProblemError('not_found');
    return c.json(linkView(row, c.env.PLATFORM_ORIGIN));
  },
);
