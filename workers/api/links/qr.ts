import { qrQuery } from '@hissaback/shared/contracts/links';
import { smartLink } from '@hissaback/shared/contracts/publish';
import { linkById } from '@hissaback/shared/db/queries/links';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { qrPng, qrSvg } from '@hissaback/shared/domain/qr-image';
import { authenticate } from '@hissaback/shared/http/auth';
import { ProblemError } from '@hissaback/shared/http/problem';
import { type Context, Hono } from 'hono';
import { encode } from 'uqr';
import type { ApiContext } from '../context.ts';
import { queryInput } from '../http/input.ts';
import { ownTenant, pathId } from '../http/ownership.ts';
import { operation } from '../openapi/operation.ts';

/** The quiet zone that readers need, in modules (ISO/IEC 18004). */
const BORDER = 4;

/** `GET /v1/links/:link_id/qr.svg`: the smart link as a QR code, for print. */
export const linkQrSvg = new Hono<ApiContext>().get(
  '/v1/links/:link_id/qr.svg',
  operation({ id: 'linkQrSvg', summary: "Draw a link's QR code as SVG", answer: { type: 'image/svg+xml' } }),
  authenticate(['creator']),
  async (c) => {
    const code = await codeOf(c, pathId(c.req.param('link_id')));
    return c.body(qrSvg(code), 200, { 'content-type': 'image/svg+xml' });
  },
);

/** `GET /v1/links/:link_id/qr.png?size=`: the same for screens, at most `size` pixels a side. */
export const linkQrPng = new Hono<ApiContext>().get(
  '/v1/links/:link_id/qr.png',
  operation({ id: 'linkQrPng', summary: "Draw a link's QR code as PNG", answer: { type: 'image/png' } }),
  authenticate(['creator']),
  queryInput(qrQuery),
  async (c) => {
    const code = await codeOf(c, pathId(c.req.param('link_id')));
    const { size } = c.req.valid('query').check();
    return c.body(await qrPng(code, size), 200, { 'content-type': 'image/png' });
  },
);

async function codeOf(c: Context<ApiContext>, link_id: string): Promise<boolean[][]> {
  const tenant_id = ownTenant(c.var.principal, undefined);
  const row = await withTenant(c.var.db, tenant_id, (tx) => linkById(tx, { tenant_id, link_id }));
  if (row === null) throw new ProblemError('not_found');
  return encode(smartLink(c.env.PLATFORM_ORIGIN, row), { ecc: 'M', border: BORDER }).data;
}
