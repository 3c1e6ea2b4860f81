import { ApiProblem, createClient, nextCursor, onceOnly, read } from '@hissaback/client';
import { afterAll, beforeAll, expect, expectTypeOf, test } from 'vitest';
import { ORIGIN, type Stage, stage } from './stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

/** Sends a client's requests to the stage's application. */
const send = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
  const { pathname, search } = new URL(String(input));
  const headers = Object.fromEntries(new Headers(init?.headers));
  const body = typeof init?.body === 'string' ? { body: init.body } : {};
  const answer = await on.call(init?.method ?? 'GET', pathname + search, { headers, ...body });
  return new Response(answer.status === 204 ? null : answer.text, { status: answer.status, headers: answer.headers });
};

test('the client has the types and the paths of the routes themselves', async () => {
  const { token, tenant_id } = await on.tenant();
  const { api } = createClient(ORIGIN, { token, fetch: send });
  const json = { tenant_id, name: 'Diwali', share_pct: '50' };
  const { campaign_id } = await read(api.v1.campaigns.$post({ json }, onceOnly()));
  expectTypeOf(campaign_id).toEqualTypeOf<string>();
  const offer_id = await on.offer();
  const link = await read(api.v1.links.$post({ json: { campaign_id, offer_id } }));
  expect(link.smart_link).toContain(ORIGIN);
  const campaign = await read(api.v1.campaigns[':campaign_id'].$get({ param: { campaign_id } }));
  expectTypeOf(campaign.status).toEqualTypeOf<'active' | 'paused' | 'archived'>();
  expect(campaign).toMatchObject({ campaign_id, name: 'Diwali', share_pct: '50.00' });
});

test('the same key is one campaign', async () => {
  const { token, tenant_id } = await on.tenant();
  const { api } = createClient(ORIGIN, { token, fetch: send });
  const json = { tenant_id, name: 'Once', share_pct: 50 };
  const key = onceOnly();
  const [first, again] = [
    await read(api.v1.campaigns.$post({ json }, key)),
    await read(api.v1.campaigns.$post({ json }, key)),
  ];
  expect(again).toEqual(first);
});

test('a list is followed to its end', async () => {
  const { token, tenant_id } = await on.tenant();
  for (let count = 0; count < 3; count++) await on.campaign(tenant_id);
  const { api } = createClient(ORIGIN, { token, fetch: send });
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const answer: { ok: boolean; headers: Headers; json(): Promise<{ campaign_id: string }[]> } =
      await api.v1.campaigns.$get({
        query: { limit: '2', ...(cursor !== '' && { cursor }) },
      });
    cursor = nextCursor(answer);
    seen.push(...(await read(answer)).map(({ campaign_id }) => campaign_id));
  }
  expect(new Set(seen).size).toBe(3);
});

test('what is refused is thrown with its code and fields', async () => {
  const { token, tenant_id } = await on.tenant();
  const { api } = createClient(ORIGIN, { token, fetch: send });
  const refused = read(api.v1.campaigns.$post({ json: { tenant_id, name: '', share_pct: '50' } }));
  await expect(refused).rejects.toThrow(ApiProblem);
  await expect(refused).rejects.toMatchObject({ status: 422, code: 'invalid_field', errors: [{ field: 'name' }] });
});
