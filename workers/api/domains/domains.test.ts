import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
/** TXT records by name; null: the resolver is down. */
let zone: Map<string, string[]> | null;
beforeAll(async () => {
  on = await stage();
});
afterEach(() => {
  vi.unstubAllGlobals();
});
afterAll(() => on.close());

function resolving(): void {
  zone = new Map();
  vi.stubGlobal('fetch', async (input: URL) => {
    if (zone === null) return new Response('', { status: 502 });
    const records = zone.get(input.searchParams.get('name') ?? '') ?? [];
    return Response.json({ Status: 0, Answer: records.map((data) => ({ type: 16, data: JSON.stringify(data) })) });
  });
}

async function claim(token: string, domain: string) {
  return (await on.call('POST', '/v1/domains', { token, json: { domain } })).json;
}
const verify = (token: string, { domain_id }: { domain_id: string }) =>
  on.call('POST', `/v1/domains/${domain_id}/verify`, { token });

test('a claimed domain is verified by its TXT record, and links are made on it from then on', async () => {
  resolving();
  const { token, tenant_id } = await on.tenant();
  const claimed = await claim(token, 'Go.Meera.Example');
  expect(claimed).toMatchObject({
    ...{ domain: 'go.meera.example', status: 'pending', is_default: false },
    record: { type: 'TXT', name: '_hissaback.go.meera.example' },
  });
  expect(await claim(token, 'go.meera.example')).toEqual(claimed);
  const pending = await verify(token, claimed);
  expect(pending).toMatchObject({ status: 200, json: { status: 'pending', checked_at: expect.any(String) } });
  zone?.set(claimed.record.name, ['v=spf1', claimed.record.value]);
  expect((await verify(token, claimed)).json).toMatchObject({ status: 'verified', is_default: true });
  const json = {
    ...{ campaign_id: await on.campaign(tenant_id), offer_id: await on.offer() },
    ...{ slug: 'hi', domain: 'go.meera.example' },
  };
  const link = await on.call('POST', '/v1/links', { token, json });
  expect(link.json.smart_link).toBe('https://go.meera.example/hi');
  expect((await on.call('GET', '/v1/domains', { token })).json).toMatchObject([{ domain_id: claimed.domain_id }]);
});

test('anyone may claim a domain, one tenant can verify it', async () => {
  resolving();
  const [first, second] = [await on.tenant(), await on.tenant()];
  const [mine, theirs] = [await claim(first.token, 'go.one.example'), await claim(second.token, 'go.one.example')];
  expect(mine.record.value).not.toBe(theirs.record.value);
  zone?.set(mine.record.name, [mine.record.value]);
  expect((await verify(second.token, theirs)).json).toMatchObject({ status: 'pending' });
  expect((await verify(first.token, mine)).json).toMatchObject({ status: 'verified' });
  zone?.set(mine.record.name, [theirs.record.value]);
  expect(await verify(second.token, theirs)).toMatchObject({ status: 409, json: { code: 'conflict' } });
});

test('a released domain takes its links along, and the next holder finds every slug free', async () => {
  resolving();
  const [first, second] = [await on.tenant(), await on.tenant()];
  const verified = async ({ token }: { token: string }) => {
    const claimed = await claim(token, 'go.moving.example');
    zone?.set(claimed.record.name, [claimed.record.value]);
    await verify(token, claimed);
    return claimed;
  };
  const link = async ({ token, tenant_id }: { token: string; tenant_id: string }) => {
    const json = { campaign_id: await on.campaign(tenant_id), offer_id: await on.offer(), slug: 'same' };
    return (await on.call('POST', '/v1/links', { token, json })).json;
  };
  const { domain_id } = await verified(first);
  const { link_id } = await link(first);
  const released = await on.call('DELETE', `/v1/domains/${domain_id}`, { token: first.token });
  expect(released).toMatchObject({ status: 200, json: { archived_links: 1 } });
  expect(on.copy('go.moving.example/same')).toBeNull();
  expect((await on.call('GET', `/v1/links/${link_id}`, { token: first.token })).json.status).toBe('archived');
  expect(
    (await on.call('GET', `/v1/tenants/${first.tenant_id}`, { token: first.token })).json.custom_domain,
  ).toBeNull();
  await verified(second);
  expect((await link(second)).smart_link).toBe('https://go.moving.example/same');
  expect((await on.call('DELETE', `/v1/domains/${domain_id}`, { token: first.token })).status).toBe(404);
});

test('a resolver that does not answer is 503, and nothing is noted', async () => {
  resolving();
  const { token } = await on.tenant();
  const claimed = await claim(token, 'go.dark.example');
  zone = null;
  expect(await verify(token, claimed)).toMatchObject({ status: 503, json: { code: 'unavailable' } });
  expect((await on.call('GET', '/v1/domains', { token })).json).toMatchObject([{ checked_at: null }]);
});

test.each([
  'hissaback.test',
  'go.hissaback.test',
  'localhost',
  'a.local',
  'go.x.invalid',
  '127.0.0.1',
  'x',
  '',
  'a_b.example',
  7,
  null,
])('%j cannot be a custom domain', async (domain) => {
  const { token } = await on.tenant();
  const answer = await on.call('POST', '/v1/domains', { token, json: { domain } });
  expect(answer).toMatchObject({ status: 422, json: { errors: [{ field: 'domain' }] } });
});

test("another tenant's claim is not there, and who is no member any more claims nothing (money rule 24)", async () => {
  resolving();
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const claimed = await claim(mine.token, 'go.mine.example');
  expect((await verify(other.token, claimed)).status).toBe(404);
  expect((await on.call('DELETE', `/v1/domains/${claimed.domain_id}`, { token: other.token })).status).toBe(404);
  await on.sql('delete from tenant_members where user_id = $1', [mine.user_id]);
  expect((await verify(mine.token, claimed)).status).toBe(403);
  expect((await on.call('POST', '/v1/domains', { token: mine.token, json: { domain: 'x.example' } })).status).toBe(403);
});
