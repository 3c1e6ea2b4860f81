import { routesOf } from '@hissaback/shared/http/routes';
import { Hono } from 'hono';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { describedRoutes } from './described-route.ts';
import { openApiDocument } from './document.ts';
import { operation } from './operation.ts';

type Registered = Parameters<typeof routesOf>[0];

/** `GET /v1/openapi.json`: the description of the whole API, made at the first request, when every route of the app is registered. */
export function openApiJson(app: Registered) {
  let text: string | undefined;
  return new Hono<ApiContext>().get(
    '/v1/openapi.json',
    operation({
      id: 'getDescription',
      summary: 'Get this description',
      answer: z.looseObject({ openapi: z.string() }),
    }),
    (c) => {
      text ??= JSON.stringify(openApiDocument(describedRoutes(routesOf(app))));
      return c.body(text, 200, {
        'content-type': 'application/json',
        'cache-control': 'public, max-age=300',
        'access-control-allow-origin': '*',
      });
    },
  );
}
