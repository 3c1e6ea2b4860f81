import { type CreatedLinks, createdLinks, newLink, newLinks } from '@hissaback/shared/contracts/links';
import { smartLink } from '@hissaback/shared/contracts/publish';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { authenticate } from '@hissaback/shared/http/auth';
import { invalidField, ProblemError } from '@hissaback/shared/http/problem';
import { parseInput } from '@hissaback/shared/http/validate';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { recordChange } from '../http/audit.ts';
import { jsonInput } from '../http/input.ts';
import { assertMember, ownTenant } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';
import { publishInBackground } from '../publish/background.ts';
import { makeLink, ownCampaign } from './make.ts';

/** A hundred rows with all their settings fit. */
const MAX_BYTES = 1_048_576;

/**
 * `POST /v1/links/bulk {links: [...]}`: up to 100 links at once. Each row stands or falls by itself and the answer says which; what was made is copied
 * to KV behind the answer.
 */
export const createLinks = new Hono<ApiContext>().post(
  '/v1/links/bulk',
  operation({
    id: 'createLinks',
    summary: 'Create up to 100 smart links, each with a result of its own',
    answer: createdLinks,
    limit: 'a body of 1 MiB',
    errors: ['not_found', 'conflict'],
  }),
  authenticate(['creator']),
  jsonInput(newLinks, { maxBytes: MAX_BYTES }),
  async (c) => {
    const { principal, clock, random, db } = c.var;
    const input = c.req.valid('json');
    const tenant_id = ownTenant(principal, input.id('tenant_id'));
    const at = new Date(clock.now());
    const results = await withTenant(db, tenant_id, async (tx) => {
      await assertMember(tx, principal, tenant_id);
      const answers: CreatedLinks = [];
      for (const [index, row] of input.check().links.entries()) {
        try {
          const link = parseInput(newLink, row);
          if (link.tenant_id !== undefined && link.tenant_id !== tenant_id) {
            throw invalidField('tenant_id', 'The token is for another tenant');
          }
          const campaign = await ownCampaign(tx, tenant_id, link.campaign_id);
          const made = await makeLink(tx, link, campaign, { tenant_id, random, at });
          await recordChange(c, tx, { tenant_id, action: 'link.created', subject: `link:${made.link_id}` });
          const smart_link = smartLink(c.env.PLATFORM_ORIGIN, made);
          answers.push({ index, status: 'created', link_id: made.link_id, smart_link });
        } catch (error) {
          // Whatever else is thrown ends the transaction, and with it the request.
          if (!(error instanceof ProblemError)) throw error;
          answers.push({ index, status: 'refused', error: rowError(error) });
        }
      }
      return answers;
    });
    publishInBackground(c);
    return c.json(results);
  },
);

function rowError(problem: ProblemError) {
  return {
    code: problem.code,
    detail: problem.message,
    ...(problem.errors !== undefined && { errors: [...problem.errors] }),
  };
}
