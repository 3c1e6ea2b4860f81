import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Running } from '../../../sandbox/kit/http.ts';
import { startPager } from '../../../sandbox/pager/server.ts';
import { type Page, type Pager, resolvePage, triggerPage } from './pager.ts';

const KEY = 'r'.repeat(32);
const PAGE: Page = { dedupKey: 'a', summary: 'Help', severity: 'critical', source: 'test', details: { count: 3 } };
const dir = mkdtempSync(join(tmpdir(), 'hissaback-pager-'));

let server: Running;
let pager: Pager;
beforeAll(async () => {
  server = await startPager({ dir, routingKey: KEY });
  pager = { endpoint: server.url, routingKey: KEY, fetch: (input, init) => fetch(input, init) };
});
beforeEach(() => control('reset', {}));
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

async function control(path: string, body: unknown): Promise<void> {
  await (await fetch(`${server.url}/__control/${path}`, { method: 'POST', body: JSON.stringify(body) })).text();
}

it('pages with the same key are one incident, which a resolve ends', async () => {
  expect([await triggerPage(pager, PAGE), await triggerPage(pager, PAGE), await resolvePage(pager, 'a')]).toEqual([
    true,
    true,
    true,
  ]);
  const { incidents } = (await (await fetch(`${server.url}/__control/incidents`)).json()) as { incidents: unknown[] };
  expect(incidents).toMatchObject([
    { dedup_key: 'a', status: 'resolved', triggers: 2, opened: 1, severity: 'critical' },
  ]);
});

it('a long summary is cut to what the pager takes', async () => {
  expect(await triggerPage(pager, { ...PAGE, summary: 'x'.repeat(5_000) })).toBe(true);
});

it.each(['throttle', 'http-500', 'drop-before'])('a pager that answers with %s breaks nothing', async (kind) => {
  await control('faults', { kind });
  expect(await triggerPage(pager, PAGE)).toBe(false);
});

it('a wrong key or address breaks nothing', async () => {
  expect(await triggerPage({ ...pager, routingKey: 'short' }, PAGE)).toBe(false);
  expect(await triggerPage({ ...pager, endpoint: '' }, PAGE)).toBe(false);
});
