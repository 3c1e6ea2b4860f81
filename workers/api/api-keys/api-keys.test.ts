import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

async function keyed(scopes: string[] = ['links:read', 'offers:read']) {
  const tenant = await on.tenant();
  const made = await on.call('POST', '/v1/api-keys', { token: tenant.token, json: { name: 'Server', scopes } });
  expect(made.status).toBe(200);
  return { ...tenant, made, key: made.json.key as string, key_id: made.json.key_id as string };
}
const lastUsed = async (key_id: string) =>
  (await on.sql<{ last_used_at: Date | null }>('select last_used_at from api_keys where key_id = $1', [key_id]))[0]
    ?.last_used_at;

describe('an API key', () => {
  test('is shown once; what is kept is a keyed hash', async () => {
    const { made, key, key_id, token, user_id } = await keyed();
    expect(key).toMatch(/^hbk_[\w-]{64}$/);
    expect(made.json).toMatchObject({ name: 'Server', scopes: ['links:read', 'offers:read'], created_by: user_id });
    const list = await on.call('GET', '/v1/api-keys', { token });
    expect(list.json).toEqual([{ ...made.json, key: undefined }].map(({ key: _, ...shown }) => shown));
    const kept = JSON.stringify(await on.sql('select * from api_keys where key_id = $1', [key_id]));
    expect(kept + list.text + on.logs.join()).not.toContain(key.slice(4));
    expect(kept).toMatch(/"key_hash":"1\.[\w-]{43}"/);
    expect(JSON.stringify(await on.sql('select * from audit_log'))).not.toContain(key.slice(4));
  });

  test('does what its scopes say, in its own tenant only', async () => {
    const { key, tenant_id } = await keyed(['links:read']);
    const other = await on.tenant();
    const link_id = await on.link(tenant_id);
    expect((await on.call('GET', `/v1/links/${link_id}`, { token: key })).status).toBe(200);
    expect((await on.call('GET', `/v1/links/${await on.link(other.tenant_id)}`, { token: key })).status).toBe(404);
    expect((await on.call('GET', `/v1/links?tenant_id=${other.tenant_id}`, { token: key })).status).toBe(403);
    const denied = await on.call('PATCH', `/v1/links/${link_id}`, { token: key, json: { status: 'paused' } });
    expect(denied).toMatchObject({ status: 403, json: { code: 'forbidden' } });
    expect(denied.json.detail).toContain('links:write');
  });

  test('makes what its maker may make', async () => {
    const { key, tenant_id } = await keyed(['campaigns:write']);
    const json = { tenant_id, name: 'By key', share_pct: 50 };
    expect((await on.call('POST', '/v1/campaigns', { token: key, json })).status).toBe(200);
  });

  test.each([
    ['GET', '/v1/me'],
    ['DELETE', '/v1/me'],
    ['GET', '/v1/me/export'],
    ['POST', '/v1/auth/switch'],
    ['POST', '/v1/auth/logout-all'],
    ['GET', '/v1/auth/sessions'],
    ['GET', '/v1/tenants'],
    ['GET', '/v1/rewards/user'],
    ['GET', '/v1/invitations'],
    ['GET', '/v1/api-keys'],
    ['POST', '/v1/api-keys'],
    ['POST', '/v1/rewards/payout/run'],
    ['POST', '/v1/events/click'],
  ])('never reaches what is personal: %s %s', async (method, path) => {
    const { SCOPES } = await import('@hissaback/shared/domain/api-key');
    const { key } = await keyed([...SCOPES]);
    const answer = await on.call(method, path, { token: key, ...(method === 'POST' && { json: {} }) });
    expect(answer).toMatchObject({ status: 403, json: { code: 'forbidden' } });
  });

  test('is refused from the moment it is revoked', async () => {
    const { key, key_id, token } = await keyed();
    expect((await on.call('GET', '/v1/offers', { token: key })).status).toBe(200);
    expect((await on.call('DELETE', `/v1/api-keys/${key_id}`, { token })).status).toBe(204);
    const refused = await on.call('GET', '/v1/offers', { token: key });
    expect(refused).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
    expect((await on.call('DELETE', `/v1/api-keys/${key_id}`, { token })).status).toBe(404);
    expect((await on.call('GET', '/v1/api-keys', { token })).json).toEqual([]);
  });

  test('ends with the membership of whoever made it, for reading too (money rule 24)', async () => {
    const { key, user_id } = await keyed();
    await on.sql('delete from tenant_members where user_id = $1', [user_id]);
    expect((await on.call('GET', '/v1/offers', { token: key })).status).toBe(401);
  });

  test('that was changed, invented or cut is 401, all alike', async () => {
    const { key } = await keyed();
    const answers = [];
    for (const token of [
      `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`,
      `hbk_${'A'.repeat(64)}`,
      key.slice(0, -1),
      'hbk_',
    ]) {
      const { status, json } = await on.call('GET', '/v1/offers', { token });
      answers.push({ status, code: json.code });
    }
    for (const answer of answers) expect(answer).toEqual({ status: 401, code: 'unauthenticated' });
  });

  test('its last use is noted once a minute at most', async () => {
    const { key, key_id } = await keyed();
    expect(await lastUsed(key_id)).toBeNull();
    const first = new Date(on.clock.now());
    await on.call('GET', '/v1/offers', { token: key });
    expect(await lastUsed(key_id)).toEqual(first);
    on.clock.advance(59_999);
    await on.call('GET', '/v1/offers', { token: key });
    expect(await lastUsed(key_id)).toEqual(first);
    on.clock.advance(1);
    await on.call('GET', '/v1/offers', { token: key });
    expect(await lastUsed(key_id)).toEqual(new Date(on.clock.now()));
  });
});

describe('the keys of a tenant', () => {
  test('are revoked by their maker or an owner, not by another member or another tenant', async () => {
    const { tenant_id, key, key_id, token } = await keyed();
    const { user_id } = await on.user();
    await on.sql("insert into tenant_members values ($1, $2, 'member', now())", [tenant_id, user_id]);
    const member = await on.token({ sub: user_id, role: 'creator', tenantId: tenant_id });
    const stranger = await on.tenant();
    for (const one of [member, stranger.token]) {
      expect((await on.call('DELETE', `/v1/api-keys/${key_id}`, { token: one })).status).toBe(404);
    }
    expect((await on.call('GET', '/v1/offers', { token: key })).status).toBe(200);
    const own = await on.call('POST', '/v1/api-keys', {
      token: member,
      json: { name: 'Mine', scopes: ['offers:read'] },
    });
    expect((await on.call('DELETE', `/v1/api-keys/${own.json.key_id}`, { token })).status).toBe(204);
    expect((await on.call('GET', '/v1/api-keys', { token: stranger.token })).json).toEqual([]);
  });

  test('are fifty at most', async () => {
    const { token, tenant_id, user_id } = await keyed();
    await on.sql(
      `insert into api_keys (key_id, tenant_id, name, key_hash, scopes, created_by, created_at)
       select gen_random_uuid(), $1, 'x', '1.x', '{offers:read}', $2, now() from generate_series(1, 49)`,
      [tenant_id, user_id],
    );
    const json = { name: 'One more', scopes: ['offers:read'] };
    expect((await on.call('POST', '/v1/api-keys', { token, json })).status).toBe(409);
  });

  test.each([
    [{ name: 'x', scopes: [] }],
    [{ name: 'x', scopes: ['offers:read', 'offers:read'] }],
    [{ name: 'x', scopes: ['everything'] }],
    [{ name: '', scopes: ['offers:read'] }],
    [{ name: 'x', scopes: 'offers:read' }],
    [{ scopes: ['offers:read'] }],
    [{ name: 'x', scopes: ['offers:read'], tenant_id: 'x' }],
  ])('%j is 422', async (json) => {
    const { token } = await on.tenant();
    expect((await on.call('POST', '/v1/api-keys', { token, json })).status).toBe(422);
  });
});
