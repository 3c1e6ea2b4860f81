import { profile } from '@hissaback/shared/contracts/profile';
import { profileOf } from '@hissaback/shared/db/queries/profile';
import { withUser } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { operation } from '../openapi/operation.ts';
import { profileView } from './view.ts';

/** `GET /v1/me`: the token's subject. */
export const getProfile = new Hono<ApiContext>().get(
  '/v1/me',
  operation({ id: 'getProfile', summary: 'Get the own profile', answer: profile, errors: ['not_found'] }),
  authenticate(['shopper', 'creator', 'operator']),
  async (c) => {
    const user_id = c.var.principal.sub;
    const row = await withUser(c.var.db, user_id, (tx) => profileOf(tx, { user_id }));
    if (row === null) throw new ProblemError('not_found');
    return c.json(profileView(row));
  },
);
