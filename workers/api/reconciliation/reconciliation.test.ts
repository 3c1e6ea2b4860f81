import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
let token: string;
let tenant_id: string;
beforeAll(async () => {
  on = await stage();
  ({ token } = await on.operator());
  ({ tenant_id } = await on.tenant());
  const find = (kind: string, key: string, day: string, tenant: string | null, healed = false) =>
    on.sql(
      `insert into reconciliation_findings (kind, finding_key, tenant_id, day, network_id, here, there, source, first_seen, last_seen, healed_at)
       values ($1, $2::text, $3, $4, $2::text, null, '{"status": "approved"}', 'poll', now(), now(), $5)`,
      [kind, key, tenant, day, healed ? new Date() : null],
    );
  await find('missing_here', 'n1', '2026-10-01', tenant_id);
  await find('missing_here', 'n2', '2026-10-01', tenant_id, true);
  await find('differing', 'n3', '2026-10-01', null);
  await find('missing_there', 'n4', '2026-10-02', tenant_id);
  await find('differing', 'n5', '2026-09-01', tenant_id);
});
afterAll(() => on.close());

const RANGE = 'from=2026-10-01&to=2026-10-31';
const get = (path: string) => on.call('GET', path, { token });

describe('GET /v1/reconciliation/report', () => {
  test('counts what differs by day and tenant, and how much of it still does', async () => {
    const { json } = await get(`/v1/reconciliation/report?${RANGE}`);
    const line = (
      day: string,
      tenant: string | null,
      here: number,
      there: number,
      differing: number,
      open: number,
    ) => ({
      ...{ day, tenant_id: tenant, missing_here: here, missing_there: there, differing, open },
    });
    expect(json).toEqual([
      line('2026-10-02', tenant_id, 0, 1, 0, 1),
      line('2026-10-01', tenant_id, 2, 0, 0, 1),
      line('2026-10-01', null, 0, 0, 1, 1),
    ]);
    expect((await get(`/v1/reconciliation/report?${RANGE}&tenant_id=${tenant_id}`)).json).toHaveLength(2);
  });

  test('is a CSV file as well', async () => {
    const answer = await get(`/v1/reconciliation/report.csv?${RANGE}`);
    expect(answer.headers.get('content-type')).toContain('text/csv');
    expect(answer.text.split('\r\n').slice(0, 2)).toEqual([
      'day,tenant_id,missing_here,missing_there,differing,open',
      `2026-10-02,${tenant_id},0,1,0,1`,
    ]);
  });

  test('covers the last thirty days unless told, and refuses days that make no sense', async () => {
    expect((await get('/v1/reconciliation/report')).status).toBe(200);
    for (const query of ['from=2026-10-02&to=2026-10-01', 'from=2020-01-01&to=2026-10-01', 'from=yesterday'])
      expect((await get(`/v1/reconciliation/report?${query}`)).status).toBe(422);
  });
});

describe('GET /v1/reconciliation/findings', () => {
  test('lists single ones by kind and whether they are open, page by page', async () => {
    const seen: string[] = [];
    let path: string | undefined = `/v1/reconciliation/findings?${RANGE}&open=true&limit=1`;
    while (path) {
      const answer = await get(path);
      seen.push(...answer.json.map((row: { network_id: string }) => row.network_id));
      path = /^<https:\/\/[^/]+([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(seen.toSorted()).toEqual(['n1', 'n3', 'n4']);
    expect((await get(`/v1/reconciliation/findings?${RANGE}&kind=missing_here&open=false`)).json).toMatchObject([
      { network_id: 'n2', there: { status: 'approved' } },
    ]);
  });
});

describe('POST /v1/reconciliation/imports', () => {
  const upload = (body: string, query = '', type = 'text/csv; charset=utf-8') =>
    on.call('POST', `/v1/reconciliation/imports${query}`, { token, body, headers: { 'content-type': type } });

  test('passes the file on as it arrives and answers what became of it, audited', async () => {
    const answer = await upload('_id,campaign_id,status\n1,7,approved\n');
    expect(answer).toMatchObject({ status: 200, json: { listed: 2, dry_run: false, complete: true } });
    expect(
      await on.sql('select action from audit_log where subject = $1', [`import:${answer.json.import_id}`]),
    ).toEqual([{ action: 'conversions.imported' }]);
    expect((await upload('a\n', '?dry_run=true')).json.dry_run).toBe(true);
  });

  test('takes nothing but CSV, from operators only, and says when it broke off', async () => {
    expect((await upload('{}', '', 'application/json')).status).toBe(415);
    expect((await upload('a', '?dry_run=perhaps')).status).toBe(422);
    const { token: shopper } = await on.user();
    const other = { token: shopper, body: 'a', headers: { 'content-type': 'text/csv' } };
    expect((await on.call('POST', '/v1/reconciliation/imports', other)).status).toBe(403);
    const take = on.takeImport;
    on.takeImport = async () => {
      throw new Error('the worker is gone');
    };
    expect((await upload('a')).status).toBe(503);
    on.takeImport = take;
  });
});
