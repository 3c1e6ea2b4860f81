import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';

const RULES = ['User-agent: *', 'Disallow: /v1/', 'Disallow: /admin', 'Disallow: /creator', ''].join('\n');

/** `GET /robots.txt`. */
export const robots = new Hono<ApiContext>().get('/robots.txt', (c) =>
  c.text(RULES, 200, { 'cache-control': 'public, max-age=86400' }),
);
