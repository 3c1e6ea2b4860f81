import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

async function link(slug: string) {
  const creator = await on.tenant();
  const campaign_id = await on.campaign(creator.tenant_id);
  const json = { campaign_id, offer_id: await on.offer(), slug };
  const { link_id } = (await on.call('POST', '/v1/links', { token: creator.token, json })).json;
  return { ...creator, link_id, path: `/v1/links/${link_id}` };
}

test('a change is a new version, in the database and in KV', async () => {
  const { token, path } = await link('changing');
  const expires_at = new Date(on.clock.now() + 3_600_000).toISOString();
  const paused = await on.call('PATCH', path, {
    token,
    json: { status: 'paused', expires_at, fallback_url: 'https://shop.example/' },
  });
  expect(paused).toMatchObject({ status: 200, json: { status: 'paused', expires_at, published: true } });
  expect(on.copy('_/changing')).toMatchObject({
    v: 2,
    s: 'paused',
    x: Date.parse(expires_at),
    f: 'https://shop.example/',
  });
  const again = await on.call('PATCH', path, {
    token,
    json: { status: 'active', expires_at: null, fallback_url: null },
  });
  expect(again.json).toMatchObject({ status: 'active', expires_at: null, fallback_url: null });
  expect(on.copy('_/changing')).toEqual({ ...on.copy('_/changing'), v: 3, s: 'active' });
  expect(on.copy('_/changing')).not.toHaveProperty('x');
});

test('targets change one by one, and null takes one away', async () => {
  const { token, path } = await link('retarget');
  const devices = { android: 'https://demo.gotrackier.com/click?campaign_id=9' };
  const change = async (json: unknown) => (await on.call('PATCH', path, { token, json })).json;
  await change({ countries: { only: ['IN'] }, devices, utm: { utm_source: 'blog' }, sub_ids: { p3: 'x' } });
  expect(await change({ countries: null })).toMatchObject({ countries: null, devices, utm: { utm_source: 'blog' } });
  expect(await change({ utm: null, sub_ids: null })).toMatchObject({ utm: {}, sub_ids: {}, devices });
  expect(on.copy('_/retarget')).toMatchObject({ v: 4, dev: devices });
  for (const gone of ['geo', 'utm', 'sub']) expect(on.copy('_/retarget')).not.toHaveProperty(gone);
  expect(await change({ devices: { ios: 'https://elsewhere.example/' } })).toMatchObject({ code: 'invalid_field' });
});

test('a copy that fails is said to be unpublished, not an error', async () => {
  const { token, path } = await link('failing');
  on.failing.kv = 1;
  const answer = await on.call('PATCH', path, { token, json: { status: 'paused' } });
  on.failing.kv = 0;
  expect(answer).toMatchObject({ status: 200, json: { status: 'paused', published: false } });
  expect(on.copy('_/failing')).toMatchObject({ v: 1, s: 'active' });
});

test('an archived link stays as it is', async () => {
  const { token, path } = await link('archived');
  expect((await on.call('PATCH', path, { token, json: { status: 'archived' } })).status).toBe(200);
  expect(on.copy('_/archived')).toMatchObject({ s: 'paused' });
  expect((await on.call('PATCH', path, { token, json: { status: 'active' } })).status).toBe(409);
});

test("another tenant's link is not there, and a change needs a valid field", async () => {
  const [mine, other] = [await link('mine'), await on.tenant()];
  expect((await on.call('PATCH', mine.path, { token: other.token, json: { status: 'x' } })).status).toBe(404);
  for (const json of [{}, { status: 'x' }, { slug: 'other' }, { offer_id: 1 }]) {
    expect((await on.call('PATCH', mine.path, { token: mine.token, json })).status).toBe(422);
  }
});

test('money rule 24: who is no member any more changes no link', async () => {
  const { token, user_id, path } = await link('member');
  await on.sql('delete from tenant_members where user_id = $1', [user_id]);
  expect((await on.call('PATCH', path, { token, json: { status: 'paused' } })).status).toBe(403);
});
