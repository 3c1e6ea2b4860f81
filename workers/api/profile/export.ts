import { ownData } from '@hissaback/shared/contracts/profile';
import { EXPORT_ROWS, type ExportedRows, exportParts, profileOf } from '@hissaback/shared/db/queries/profile';
import { withUser } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { operation } from '../openapi/operation.ts';
import { profileView } from './view.ts';

/** `GET /v1/me/export`: everything kept of the token's subject, as one JSON file; of each part the newest rows, `EXPORT_ROWS` at most. */
export const exportRoute = new Hono<ApiContext>().get(
  '/v1/me/export',
  operation({ id: 'exportMe', summary: 'Export the own data', answer: ownData, errors: ['not_found'] }),
  authenticate(['shopper', 'creator', 'operator']),
  async (c) => {
    const user_id = c.var.principal.sub;
    const { row, parts } = await withUser(c.var.db, user_id, async (tx) => ({
      row: await profileOf(tx, { user_id }),
      parts: await exportParts(tx, { user_id }),
    }));
    if (row === null) throw new ProblemError('not_found');
    const entries = Object.entries<ExportedRows>(parts);
    const incomplete = entries.filter(([, part]) => !part.isComplete).map(([name]) => name);
    if (incomplete.length > 0) c.var.log.info('export_cut', { rows: EXPORT_ROWS, parts: incomplete.join() });
    const rows = Object.fromEntries(entries.map(([name, part]) => [name, part.rows]));
    const exported_at = new Date(c.var.clock.now()).toISOString();
    return c.json({ exported_at, profile: profileView(row), ...rows, incomplete }, 200, {
      'content-disposition': 'attachment; filename="hissaback-data.json"',
    });
  },
);
