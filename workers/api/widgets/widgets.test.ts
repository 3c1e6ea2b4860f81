import { verifyAccessToken } from '@hissaback/shared/http/access-token';
import { parseTokenKeys } from '@hissaback/shared/http/token-keys';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

async function widget(config: unknown = { theme: 'dark', max_offers: 6 }) {
  const tenant = await on.tenant();
  const campaign_id = await on.campaign(tenant.tenant_id);
  const { token } = tenant;
  const made = await on.call('POST', '/v1/widgets', { token, json: { campaign_id, config } });
  expect(made.status).toBe(200);
  const path = `/v1/widgets/${made.json.widget_id}`;
  return { ...tenant, campaign_id, made, path, widget_id: made.json.widget_id as string };
}

async function published() {
  const own = await widget();
  const issued = await on.call('POST', `${own.path}/tokens`, { token: own.token });
  expect(issued.status).toBe(200);
  return { ...own, issued, published: issued.json.token as string, token_id: issued.json.token_id as string };
}

describe('a widget', () => {
  test('is made for a campaign, read, changed, listed and put away', async () => {
    const { made, path, token, tenant_id, campaign_id, widget_id } = await widget();
    const expected = { widget_id, tenant_id, campaign_id, config: { theme: 'dark', max_offers: 6 } };
    expect(made.json).toMatchObject(expected);
    expect((await on.call('GET', path, { token })).json).toEqual(made.json);
    const other = await on.campaign(tenant_id);
    const changed = await on.call('PATCH', path, { token, json: { campaign_id: other, config: { layout: 'list' } } });
    expect(changed.json).toMatchObject({ campaign_id: other, config: { layout: 'list' } });
    const list = (campaign: string) => on.call('GET', `/v1/widgets?campaign_id=${campaign}`, { token });
    expect((await list(other)).json).toEqual([changed.json]);
    expect((await list(campaign_id)).json).toEqual([]);
    expect((await on.call('DELETE', path, { token })).status).toBe(204);
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const answer = await on.call(method, path, { token, ...(method === 'PATCH' && { json: { config: {} } }) });
      expect(answer.status, method).toBe(404);
    }
    expect((await list(other)).json).toEqual([]);
  });

  test('is listed page by page, newest first', async () => {
    const { token, tenant_id } = await on.tenant();
    const campaign_id = await on.campaign(tenant_id);
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      ids.unshift((await on.call('POST', '/v1/widgets', { token, json: { campaign_id } })).json.widget_id);
      if (n > 1) on.clock.advance(1);
    }
    const seen: string[] = [];
    let path: string | undefined = '/v1/widgets?limit=2';
    while (path) {
      const answer = await on.call('GET', path, { token });
      seen.push(...answer.json.map((row: { widget_id: string }) => row.widget_id));
      path = /^<https:\/\/[^/]+([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect(seen.slice(0, 2)).toEqual(ids.slice(0, 2));
  });

  test('of another tenant is not there, nor is a campaign of another tenant', async () => {
    const [mine, other] = [await widget(), await widget()];
    const { token } = other;
    for (const path of [mine.path, `/v1/widgets/${on.uuid()}`, '/v1/widgets/x']) {
      expect((await on.call('GET', path, { token })).status).toBe(404);
      expect((await on.call('PATCH', path, { token, json: { nonsense: 1 } })).status).toBe(404);
      expect((await on.call('DELETE', path, { token })).status).toBe(404);
      expect((await on.call('GET', `${path}/tokens`, { token })).status).toBe(404);
      expect((await on.call('POST', `${path}/tokens`, { token })).status).toBe(404);
    }
    const json = { campaign_id: mine.campaign_id };
    expect((await on.call('POST', '/v1/widgets', { token, json })).status).toBe(404);
    expect((await on.call('PATCH', other.path, { token, json })).status).toBe(404);
    expect((await on.call('GET', `/v1/widgets?campaign_id=${mine.campaign_id}`, { token })).json).toEqual([]);
  });

  test('money rule 24: who is no member any more changes nothing', async () => {
    const { path, token, user_id, campaign_id } = await widget();
    await on.sql('delete from tenant_members where user_id = $1', [user_id]);
    const json = { config: {} };
    expect((await on.call('PATCH', path, { token, json })).status).toBe(403);
    expect((await on.call('DELETE', path, { token })).status).toBe(403);
    expect((await on.call('POST', `${path}/tokens`, { token })).status).toBe(403);
    expect((await on.call('POST', '/v1/widgets', { token, json: { campaign_id } })).status).toBe(403);
  });

  test.each([
    [{ theme: 'pink' }],
    [{ max_offers: 0 }],
    [{ max_offers: 51 }],
    [{ max_offers: 1.5 }],
    [{ accent: 'red' }],
    [{ offer_ids: [] }],
    [{ offer_ids: Array.from({ length: 51 }, (_, index) => index + 1) }],
    [{ title: 'a\u202eb' }],
    [{ script: 'alert(1)' }],
    ['text'],
    [null],
  ])('the config %j is 422', async (config) => {
    const { tenant_id, token } = await on.tenant();
    const json = { campaign_id: await on.campaign(tenant_id), config };
    expect((await on.call('POST', '/v1/widgets', { token, json })).status).toBe(422);
  });
});

describe('a publishable token', () => {
  test('is for its widget and tenant, for years, and is not kept', async () => {
    const { published: token, issued, tenant_id, widget_id, token_id } = await published();
    const principal = await verifyAccessToken(await parseTokenKeys(on.env.JWT_KEYS), token, on.clock.now());
    expect(principal).toMatchObject({ role: 'widget', sub: widget_id, tenantId: tenant_id, jti: token_id });
    expect((principal?.expiresAt ?? 0) * 1000).toBe(Date.parse(issued.json.expires_at));
    expect(Date.parse(issued.json.expires_at)).toBeGreaterThan(on.clock.now() + 4 * 365 * 86_400_000);
    expect(JSON.stringify(await on.sql('select * from widget_tokens'))).not.toContain(token);
  });

  test('lists offers, reads its own widget and clicks, and does nothing else', async () => {
    const { published: token, path, tenant_id } = await published();
    expect((await on.call('GET', '/v1/offers', { token })).status).toBe(200);
    expect((await on.call('GET', path, { token })).status).toBe(200);
    const link_id = await on.link(tenant_id);
    expect((await on.call('POST', '/v1/events/click', { token, json: { link_id } })).status).toBe(200);
    const sibling = await on.call('POST', '/v1/widgets', {
      token: await on.token({ sub: (await members(tenant_id))[0] ?? '', role: 'creator', tenantId: tenant_id }),
      json: { campaign_id: await on.campaign(tenant_id) },
    });
    expect((await on.call('GET', `/v1/widgets/${sibling.json.widget_id}`, { token })).status).toBe(404);
    for (const [method, other] of [
      ['PATCH', path],
      ['DELETE', path],
      ['GET', '/v1/widgets'],
      ['GET', '/v1/links'],
      ['GET', '/v1/me'],
    ] as const) {
      expect((await on.call(method, other, { token, ...(method === 'PATCH' && { json: {} }) })).status).toBe(403);
    }
  });

  const uses = async (token: string) => (await on.call('GET', '/v1/offers', { token })).status;

  test('is refused from the moment it is revoked, and the widget’s other tokens go on', async () => {
    const { published: token, path, token: creator, token_id } = await published();
    const second = await on.call('POST', `${path}/tokens`, { token: creator });
    const tokens = async () =>
      (await on.call('GET', `${path}/tokens`, { token: creator })).json.map(
        (row: { token_id: string }) => row.token_id,
      );
    expect(await tokens()).toHaveLength(2);
    expect((await on.call('DELETE', `${path}/tokens/${token_id}`, { token: creator })).status).toBe(204);
    expect((await on.call('DELETE', `${path}/tokens/${token_id}`, { token: creator })).status).toBe(404);
    expect(await uses(token)).toBe(401);
    expect(await uses(second.json.token)).toBe(200);
    expect(await tokens()).toEqual([second.json.token_id]);
  });

  test('is not revoked by another tenant', async () => {
    const [mine, other] = [await published(), await on.tenant()];
    expect((await on.call('DELETE', `${mine.path}/tokens/${mine.token_id}`, { token: other.token })).status).toBe(404);
    expect(await uses(mine.published)).toBe(200);
  });

  test('falls with its widget and with its tenant', async () => {
    const [archived, suspended] = [await published(), await published()];
    await on.call('DELETE', archived.path, { token: archived.token });
    expect(await uses(archived.published)).toBe(401);
    await on.sql("update tenants set status = 'suspended' where tenant_id = $1", [suspended.tenant_id]);
    expect(await uses(suspended.published)).toBe(401);
  });

  test('of a known id but another tenant or widget, although signed by us, is refused', async () => {
    const [mine, other] = [await published(), await published()];
    const grant = { role: 'widget', jti: mine.token_id } as const;
    const keys = await parseTokenKeys(on.env.JWT_KEYS);
    const { signAccessToken } = await import('@hissaback/shared/http/access-token');
    const random = { bytes: (length: number) => new Uint8Array(length) };
    const sign = (sub: string, tenantId: string) =>
      signAccessToken(keys, { ...grant, sub, tenantId }, on.clock, random);
    expect(await uses(await sign(mine.widget_id, other.tenant_id))).toBe(401);
    expect(await uses(await sign(other.widget_id, mine.tenant_id))).toBe(401);
  });

  test('twenty are in use at most', async () => {
    const { path, token, tenant_id, widget_id, user_id } = await published();
    await on.sql(
      `insert into widget_tokens (token_id, tenant_id, widget_id, created_by, created_at, expires_at)
       select gen_random_uuid(), $1, $2, $3, now(), now() + interval '1 day' from generate_series(1, 19)`,
      [tenant_id, widget_id, user_id],
    );
    expect((await on.call('POST', `${path}/tokens`, { token })).status).toBe(409);
  });
});

async function members(tenant_id: string): Promise<string[]> {
  const rows = await on.sql<{ user_id: string }>('select user_id from tenant_members where tenant_id = $1', [
    tenant_id,
  ]);
  return rows.map((row) => row.user_id);
}
