import { killSwitch, killSwitches, newKillSwitch, payoutAction } from '@hissaback/shared/contracts/payouts';
import { clearSwitch, type KillSwitchRow, listSwitches, throwSwitch } from '@hissaback/shared/db/queries/kill-switches';
import { tenantById } from '@hissaback/shared/db/queries/tenants';
import { withOperator } from '@hissaback/shared/db/tenancy';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { authenticate } from '@hissaback/shared/http/auth';
import { invalidField, ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertOperator, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

const LISTED = 200;

/** Kill switches: operators throw one to stop all payouts, one tenant's, or new links, and clear it again. Both are audited with their reason. */
export const killSwitchRoutes = new Hono<ApiContext>()
  .get(
    '/v1/kill-switches',
    operation({ id: 'listKillSwitches', summary: 'List kill switches, those thrown first', answer: killSwitches }),
    authenticate(['operator']),
    async (c) => {
      const rows = await withOperator(c.var.db, c.var.principal.sub, async (tx) => {
        await assertOperator(tx);
        return listSwitches(tx, { limit: LISTED });
      });
      return c.json(rows.map(switchView));
    },
  )
  .post(
    '/v1/kill-switches',
    operation({
      id: 'throwKillSwitch',
      summary: 'Stop payouts or new links, for all or for one tenant; a switch that is thrown stays as it is',
      answer: killSwitch,
    }),
    authenticate(['operator']),
    jsonInput(newKillSwitch),
    async (c) => {
      const { db, principal, random, clock } = c.var;
      const row = await withOperator(db, principal.sub, async (tx) => {
        await assertOperator(tx);
        const { scope, reason, tenant_id = null } = c.req.valid('json').check();
        if (tenant_id !== null && (await tenantById(tx, { tenant_id })) === null) {
          throw invalidField('tenant_id', 'No such tenant');
        }
        const switch_id = mintUuid(random);
        const at = new Date(clock.now());
        const thrown = await throwSwitch(tx, { switch_id, scope, tenant_id, reason, operator: principal.sub, at });
        if (thrown.isNew) {
          const details = { scope, for: tenant_id ?? 'all' };
          await recordChange(c, tx, {
            ...{ tenant_id, action: 'kill_switch.thrown', subject: `kill_switch:${switch_id}`, reason, details },
          });
        }
        return thrown.row;
      });
      c.var.log.warn('kill_switch_thrown', { switch_id: row.switch_id, scope: row.scope });
      return c.json(switchView(row));
    },
  )
  .post(
    '/v1/kill-switches/:switch_id/clear',
    operation({
      id: 'clearKillSwitch',
      summary: 'Let go on what a kill switch stopped',
      answer: killSwitch,
      errors: ['not_found'],
    }),
    authenticate(['operator']),
    jsonInput(payoutAction),
    async (c) => {
      const { db, principal, clock } = c.var;
      const row = await withOperator(db, principal.sub, async (tx) => {
        await assertOperator(tx);
        const switch_id = pathId(c.req.param('switch_id'));
        const { reason } = c.req.valid('json').check();
        const cleared = await clearSwitch(tx, { switch_id, operator: principal.sub, at: new Date(clock.now()) });
        if (cleared === null) throw new ProblemError('not_found', { detail: 'No such switch is thrown.' });
        await recordChange(c, tx, {
          tenant_id: cleared.tenant_id,
          action: 'kill_switch.cleared',
          subject: `kill_switch:${switch_id}`,
          reason,
        });
        return cleared;
      });
      return c.json(switchView(row));
    },
  );

function switchView(row: KillSwitchRow) {
  return {
    ...row,
    thrown_at: row.thrown_at.toISOString(),
    cleared_at: row.cleared_at?.toISOString() ?? null,
  };
}
