import { profile, profileChange } from '@hissaback/shared/contracts/profile';
import { updateProfile } from '@hissaback/shared/db/queries/profile';
import { withUser } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { jsonInput } from '../http/input.ts';
import { operation } from '../openapi/operation.ts';
import { profileView } from './view.ts';

/** `PATCH /v1/me {name?, email?, language?}`. */
export const updateProfileRoute = new Hono<ApiContext>().patch(
  '/v1/me',
  operation({ id: 'updateProfile', summary: 'Change the own profile', answer: profile, errors: ['not_found'] }),
  authenticate(['shopper', 'creator', 'operator']),
  jsonInput(profileChange),
  async (c) => {
    const user_id = c.var.principal.sub;
    const change = c.req.valid('json').check();
    const row = await withUser(c.var.db, user_id, (tx) => updateProfile(tx, { user_id, ...change }));
    if (row === null) throw new ProblemError('not_found');
    return c.json(profileView(row));
  },
);
