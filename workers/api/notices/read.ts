import { notice } from '@hissaback/shared/contracts/notices';
import { readNotice } from '@hissaback/shared/db/queries/notices';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { assertMember, ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { noticeView } from './view.ts';

/** `POST /v1/notices/:notice_id/read`: takes note of it; once more says the same. */
export const readNoticeRoute = new Hono<ApiContext>().post(
  '/v1/notices/:notice_id/read',
  operation({ id: 'readNotice', summary: 'Take note of a notice', answer: notice, errors: ['not_found'] }),
  authenticate(['creator']),
  async (c) => {
    const { db, principal, clock } = c.var;
    const id = c.req.param('notice_id');
    const tenant_id = ownTenant(principal, undefined);
    const isId = /^[1-9]\d{0,18}$/.test(id) && BigInt(id) < 2n ** 63n;
    const row = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      const at = new Date(clock.now());
      return isId ? readNotice(tx, { tenant_id, notice_id: BigInt(id), at }) : null;
    });
    if (row === null) throw new ProblemError('not_found', { detail: 'No such notice.' });
    return c.json(noticeView(row));
  },
);
