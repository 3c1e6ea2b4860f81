import {
  type ImportAnswer,
  type ImportCalls,
  importQuery,
  importReport,
} from '@hissaback/shared/contracts/reconciliation';
import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import { withOperator } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { queryInput } from '../http/input.ts';
import { assertOperator } from '../http/ownership.ts';
import { patientJson } from '../http/patient-json.ts';
import { operation } from '../openapi/operation.ts';

/**
 * `POST /v1/reconciliation/imports?dry_run=true`, `text/csv`: the network's conversions by hand. The file goes through as it arrives, whatever its length,
 * to the one worker that may compare it with the books; the answer comes when its last row is taken.
 */
export const importConversions = new Hono<ApiContext>().post(
  '/v1/reconciliation/imports',
  operation({
    id: 'importConversions',
    summary: 'Import conversions from a CSV file of the network',
    description:
      'The first line names the columns; _id, campaign_id and status must be among them. Rows that can be read and say something new go the way of ' +
      'postbacks; the others are told with their lines. The answer comes when the last row is taken; after 20 seconds blank lines go before it, so that ' +
      'nothing on the way takes the connection for dead. If it breaks off, send the file again: what was taken is known then.',
    answer: importReport,
    errors: ['unsupported_media_type', 'unavailable'],
    body: { type: 'text/csv' },
    keepsNothing: true,
  }),
  authenticate(['operator']),
  queryInput(importQuery),
  async (c) => {
    const { db, principal, log, random } = c.var;
    await withOperator(db, principal.sub, assertOperator);
    const { dry_run: dryRun = false } = c.req.valid('query').check();
    const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
    const { body } = c.req.raw;
    if (type !== 'text/csv' || body === null) {
      throw new ProblemError('unsupported_media_type', {
        detail: 'Send a file as text/csv.',
        headers: { accept: 'text/csv' },
      });
    }
    const { IMPORTS } = c.env as unknown as { IMPORTS: ImportCalls };
    const take = async (): Promise<ImportAnswer> => {
      const report = await IMPORTS.take(body, { dryRun, by: principal.sub }).catch((error: unknown) => {
        log.error('import_failed', { error });
        throw new ProblemError('unavailable', {
          detail: 'The import broke off: send the file again, what was taken is known then.',
        });
      });
      // Its own connection: the request's is closed behind the head of the answer.
      const late = openDatabase(databaseBinding(c.env), { random });
      try {
        await withOperator(late, principal.sub, async (tx) => {
          await assertOperator(tx);
          const { errors: _, import_id, ...details } = report;
          await recordChange(c, tx, {
            tenant_id: null,
            action: 'conversions.imported',
            subject: `import:${import_id}`,
            details,
          });
        });
      } finally {
        await late.end();
      }
      return report;
    };
    return patientJson(take());
  },
);
