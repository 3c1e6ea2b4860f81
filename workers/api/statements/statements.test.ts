import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { payoutOn } from '../payouts/payouts.fake.ts';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

const lines = (text: string) => text.trimEnd().split('\r\n');

async function posting(tenant_id: string, at: Date, kind: string, entries: [account: string, amount: string][]) {
  const event = on.uuid();
  const rows = entries.map((_, n) => `($1, $${5 + 2 * n}, $${6 + 2 * n}, 'INR', $2, $3, $4)`).join(', ');
  await on.sql(
    `insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at) values ${rows}`,
    [event, tenant_id, kind, at, ...entries.flat()],
  );
}

test('finance gets every payout made or paid in the month, by India’s time, never a code, nothing a spreadsheet would run', async () => {
  const [tenant, shopper, operator] = [await on.tenant(), await on.user(), await on.operator()];
  await on.sql(`update tenants set name = '=HYPERLINK("http://evil")' where tenant_id = $1`, [tenant.tenant_id]);
  const made = (at: string, status = 'issued') =>
    payoutOn(on, { tenant_id: tenant.tenant_id, user_id: shopper.user_id, status, at: new Date(at) });
  await made('2026-10-31T18:29:59Z');
  const first = await made('2026-10-31T18:30:00Z');
  const last = await made('2026-11-30T18:29:59Z', 'paid');
  await made('2026-11-30T18:30:00Z');
  const answer = await on.call('GET', `/v1/statements/payouts?month=2026-11&tenant_id=${tenant.tenant_id}`, operator);
  expect(answer.headers.get('content-type')).toContain('text/csv');
  expect(lines(answer.text).map((line) => line.split(',')[0])).toEqual(['payout_id', first, last]);
  expect(answer.text).toContain(`"'=HYPERLINK(""http://evil"")"`);
  expect(answer.text).toContain('2026-11-01 00:00');
  expect(answer.text).not.toContain('sealed-code');
  expect((await on.call('GET', '/v1/statements/payouts?month=2026-11', tenant)).status).toBe(403);
  expect((await on.call('GET', '/v1/statements/payouts?month=2026-13', operator)).status).toBe(422);
});

test('a tenant’s month: what was earned less what was paid is what the balance grew by', async () => {
  const { tenant_id, token } = await on.tenant();
  const link_id = await on.link(tenant_id);
  const creator = (bucket: string) => `creator:${bucket}:${tenant_id}:${tenant_id}`;
  const shopper = `shopper:available:${tenant_id}:${on.uuid()}`;
  const network = `network:${tenant_id}`;
  const october = new Date('2026-10-15T00:00:00Z');
  const november = new Date('2026-11-15T00:00:00Z');
  await posting(tenant_id, october, 'release', [
    [creator('available'), '100.00'],
    [network, '-100.00'],
  ]);
  await posting(tenant_id, november, 'release', [
    [creator('available'), '700.00'],
    [shopper, '300.00'],
    [network, '-1000.00'],
  ]);
  await posting(tenant_id, november, 'reversal', [
    [creator('available'), '-50.00'],
    [shopper, '-20.00'],
    [network, '70.00'],
  ]);
  await posting(tenant_id, november, 'reservation', [
    [creator('available'), '-600.00'],
    [creator('reserved'), '600.00'],
  ]);
  await posting(tenant_id, november, 'issue', [
    [creator('reserved'), '-600.00'],
    [`vouchers:${tenant_id}`, '600.00'],
  ]);
  await posting(tenant_id, new Date('2026-12-01T00:00:00Z'), 'release', [
    [creator('available'), '1.00'],
    [network, '-1.00'],
  ]);
  await on.sql(
    `insert into daily_rollups (tenant_id, day, link_id, shard, clicks, conversions) values
       ($1, '2026-10-31', $2, 0, 5, 5), ($1, '2026-11-01', $2, 0, 40, 3), ($1, '2026-11-30', $2, 1, 2, 1), ($1, '2026-12-01', $2, 0, 9, 9)`,
    [tenant_id, link_id],
  );
  const csv = await on.call('GET', '/v1/statements/tenant?month=2026-11', { token });
  expect(lines(csv.text)[1]).toBe('2026-11,Asha shares,42,4,0,280.00,650.00,600.00,150.00,INR');
  const page = await on.call('GET', '/v1/statements/tenant?month=2026-11&format=html', { token });
  expect(page.headers.get('content-type')).toContain('text/html');
  for (const shown of [
    'Statement for November 2026',
    '650.00',
    '280.00',
    '600.00',
    '150.00',
    '<html lang="en">',
    'scope="row"',
    // 150 at the end, 650 earned and 600 paid in between.
    'Balance at the beginning</th><td>100.00',
  ]) {
    expect(page.text).toContain(shown);
  }
  expect(page.text).toMatch(/^<!doctype html>/);
  const style = /<style>([^<]*)<\/style>/.exec(page.text)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  expect(page.headers.get('content-security-policy')).toContain(`style-src 'sha256-${hash}'`);
  expect(style).toContain('@media print');
});

test('a card that was cancelled was not paid', async () => {
  const { tenant_id, token } = await on.tenant();
  const creator = (bucket: string) => `creator:${bucket}:${tenant_id}:${tenant_id}`;
  const at = new Date('2026-11-15T00:00:00Z');
  await posting(tenant_id, at, 'release', [
    [creator('available'), '700.00'],
    [`network:${tenant_id}`, '-700.00'],
  ]);
  await posting(tenant_id, at, 'reservation', [
    [creator('available'), '-700.00'],
    [creator('reserved'), '700.00'],
  ]);
  await posting(tenant_id, at, 'issue', [
    [creator('reserved'), '-700.00'],
    [`vouchers:${tenant_id}`, '700.00'],
  ]);
  await posting(tenant_id, at, 'return', [
    [`vouchers:${tenant_id}`, '-700.00'],
    [creator('available'), '700.00'],
  ]);
  const csv = await on.call('GET', '/v1/statements/tenant?month=2026-11', { token });
  expect(lines(csv.text)[1]).toBe('2026-11,Asha shares,0,0,0,0.00,700.00,0.00,700.00,INR');
});

test('nothing of another tenant, and a tenant’s name is text on the page', async () => {
  const [one, two] = [await on.tenant(), await on.tenant()];
  const other = await on.call('GET', `/v1/statements/tenant?month=2026-11&tenant_id=${two.tenant_id}`, one);
  expect(other.status).toBe(403);
  await on.sql(`update tenants set name = '<script>alert(1)</script>' where tenant_id = $1`, [one.tenant_id]);
  const page = await on.call('GET', '/v1/statements/tenant?month=2026-11&format=html', one);
  expect(page.text).not.toContain('<script>');
  expect(page.text).toContain('No money moved');
});
