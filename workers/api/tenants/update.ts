import { tenant, tenantChange } from '@hissaback/shared/contracts/tenants';
import { sqlState } from '@hissaback/shared/db/client';
import { updateTenant } from '@hissaback/shared/db/queries/tenants';
import { withOperator, withTenant } from '@hissaback/shared/db/tenancy';
import type { Tx } from '@hissaback/shared/db/types';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, assertOperator, ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { publishInBackground } from '../publish/background.ts';
import { tenantView } from './view.ts';

const UNIQUE_VIOLATION = '23505';

/** `PATCH /v1/tenants/:tenant_id`: name and default share by its members; the publisher id at the network and the status by operators only. */
export const updateTenantRoute = new Hono<ApiContext>().patch(
  '/v1/tenants/:tenant_id',
  operation({
    id: 'updateTenant',
    summary: 'Change the settings of a tenant',
    description: 'The publisher id at the network and the status are changed by operators only.',
    answer: tenant,
    errors: ['conflict'],
  }),
  authenticate(['creator', 'operator']),
  jsonInput(tenantChange),
  async (c) => {
    const { principal, db } = c.var;
    const tenant_id = pathId(c.req.param('tenant_id'));
    const change = async (tx: Tx) => {
      const fields = c.req.valid('json').check();
      const reserved = (['trackier_pid', 'status'] as const).find((name) => fields[name] !== undefined);
      if (reserved !== undefined && principal.role !== 'operator') {
        throw new ProblemError('forbidden', { detail: `Only an operator may change ${reserved}.` });
      }
      const row = await updateTenant(tx, { tenant_id, ...fields });
      if (row === null) throw new ProblemError('not_found');
      const subject = `tenant:${tenant_id}`;
      await recordChange(c, tx, { tenant_id, action: 'tenant.changed', subject, details: fields });
      return row;
    };
    const changed = await (principal.role === 'operator'
      ? withOperator(db, principal.sub, async (tx) => {
          await assertOperator(tx);
          return change(tx);
        })
      : withTenant(db, ownTenant(principal, tenant_id), async (tx) => {
          await assertMember(tx, principal, tenant_id);
          return change(tx);
        })
    ).catch((error: unknown) => {
      if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
      throw new ProblemError('conflict', { detail: 'Another tenant has this trackier_pid.' });
    });
    if (principal.role === 'operator') publishInBackground(c);
    return c.json(tenantView(changed));
  },
);
