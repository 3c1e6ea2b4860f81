import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../../tests/support/two-tenants.ts';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

/** Notices as the offer sync writes them, oldest first. */
async function told(tenant_id: string, offer_id: number, kinds: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const kind of kinds) {
    on.clock.advance(1_000);
    const notice_id = String(newId());
    await on.sql(
      `insert into notices (notice_id, tenant_id, kind, offer_id, details, created_at) values ($1, $2, $3, $4, '{"links": 2}', $5)`,
      [notice_id, tenant_id, kind, offer_id, new Date(on.clock.now())],
    );
    ids.push(notice_id);
  }
  return ids;
}

describe('GET /v1/notices', () => {
  test('tells a tenant what became of its offers, newest first and page by page, and nobody else', async () => {
    const [mine, other] = [await on.tenant(), await on.tenant()];
    const offer_id = await on.offer({ brand: 'Nila' });
    const [gone, back] = await told(mine.tenant_id, offer_id, ['offer_gone', 'offer_back']);
    const first = await on.call('GET', '/v1/notices?limit=1', { token: mine.token });
    expect(first.json).toMatchObject([{ notice_id: back, kind: 'offer_back', offer_id, brand: 'Nila', links: 2 }]);
    const next = /^<https:\/\/[^/]+([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await on.call('GET', next, { token: mine.token });
    expect(second.json).toMatchObject([{ notice_id: gone, kind: 'offer_gone', read_at: null }]);
    expect((await on.call('GET', '/v1/notices', { token: other.token })).json).toEqual([]);
  });
});

describe('POST /v1/notices/:notice_id/read', () => {
  test('takes note of one, and remembers the first time', async () => {
    const { tenant_id, token } = await on.tenant();
    const [id] = await told(tenant_id, await on.offer(), ['offer_gone']);
    const read = () => on.call('POST', `/v1/notices/${id}/read`, { token });
    const { status, json } = await read();
    expect([status, json.read_at]).toEqual([200, new Date(on.clock.now()).toISOString()]);
    on.clock.advance(60_000);
    expect((await read()).json).toEqual(json);
    expect((await on.call('GET', '/v1/notices', { token })).json).toEqual([json]);
  });

  test('is 404 for another tenant’s, and for what is no number', async () => {
    const [mine, other] = [await on.tenant(), await on.tenant()];
    const [id] = await told(other.tenant_id, await on.offer(), ['offer_gone']);
    for (const path of [id, '0', 'abc', '9223372036854775808'])
      expect((await on.call('POST', `/v1/notices/${path}/read`, { token: mine.token })).status).toBe(404);
    expect(await on.sql('select read_at from notices where notice_id = $1', [id])).toEqual([{ read_at: null }]);
  });
});

test('a link to an offer that the network no longer lists says so until the offer is back', async () => {
  const { tenant_id, token } = await on.tenant();
  const offer_id = await on.offer();
  const link_id = await on.link(tenant_id, { offer_id });
  const shown = async () => (await on.call('GET', `/v1/links/${link_id}`, { token })).json;
  expect(await shown()).toMatchObject({ status: 'active', offer_gone: false });
  await on.sql(`update offers set status = 'gone' where offer_id = $1`, [offer_id]);
  expect(await shown()).toMatchObject({ status: 'active', offer_gone: true });
  expect((await on.call('PATCH', `/v1/links/${link_id}`, { token, json: { status: 'paused' } })).json).toMatchObject({
    offer_gone: true,
  });
});
