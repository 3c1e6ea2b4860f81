import { routesOf } from '@hissaback/shared/http/routes';
import { Hono } from 'hono';
import { encodeBase64 } from 'hono/utils/encode';
import type { ApiContext } from '../context.ts';
import { describedRoutes } from '../openapi/described-route.ts';
import { referencePage } from './page.tsx';
import { STYLE } from './style.ts';

/** `GET /docs`: the API's reference for people, made of the same declarations as its description for machines, at the first request. */
export function docs(app: Parameters<typeof routesOf>[0]) {
  let made: Promise<{ page: string; policy: string }> | undefined;
  return new Hono<ApiContext>().get('/docs', async (c) => {
    made ??= make(app);
    const { page, policy } = await made;
    return c.html(page, 200, { 'content-security-policy': policy, 'cache-control': 'public, max-age=300' });
  });
}

async function make(app: Parameters<typeof routesOf>[0]): Promise<{ page: string; policy: string }> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(STYLE));
  return {
    page: String(await referencePage(describedRoutes(routesOf(app)))),
    policy: `default-src 'none'; style-src 'sha256-${encodeBase64(hash)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}
