import { mintId } from '@hissaback/shared/domain/click-id';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

async function selling() {
  const tenant = await on.tenant();
  const link_id = await on.link(tenant.tenant_id);
  const sale = async (change: Partial<Parameters<Stage['reward']>[0]> = {}) =>
    on.reward({
      ...{ tenant_id: tenant.tenant_id, link_id, at: new Date(on.clock.now()), status: 'pending' },
      ...{ user_amount: '40.00', creator_amount: '60.00', ...change },
    });
  return { ...tenant, link_id, sale };
}

let moment = 0;
/** Something the network said of a conversion, each a millisecond after the one before. */
async function heard(tenant_id: string, conv_id: string, status: string, outcome: string): Promise<void> {
  const clock = { now: () => on.clock.now() + ++moment };
  const id = mintId(clock, { bytes: (length) => new Uint8Array(length) });
  await on.sql(
    `insert into postbacks (postback_id, received_at, source, raw, outcome, conv_id, tenant_id, processed_at)
     values ($1, id_time($1), 'postback', $2, $3, $4, $5, now())`,
    [String(id), JSON.stringify({ status, click_id: 'secret', user: 'asha' }), outcome, conv_id, tenant_id],
  );
}

test('a conversion shows its reward and all that was heard of it, and nothing of the shopper', async () => {
  const { token, tenant_id, link_id, sale } = await selling();
  const { user_id } = await on.user();
  const conv_id = await sale({ user_id });
  await heard(tenant_id, conv_id, 'pending', 'credited');
  await heard(tenant_id, conv_id, 'approved', 'updated');
  const answer = await on.call('GET', `/v1/conversions/${conv_id}`, { token });
  expect(answer).toMatchObject({
    status: 200,
    json: {
      ...{ conv_id, link_id, brand: 'Nila', order_value: '1000.00', net_commission: '100.00', status: 'approved' },
      rewards: [{ user_amount: '40.00', creator_amount: '60.00', user_pct: '50.00', status: 'pending', reason: null }],
      history: [
        { source: 'postback', said: 'pending', outcome: 'credited' },
        { source: 'postback', said: 'approved', outcome: 'updated' },
      ],
    },
  });
  for (const secret of [user_id, 'secret', 'asha', 'user_id', 'visitor']) expect(answer.text).not.toContain(secret);
});

test("the list is the own tenant's, newest first, and can be narrowed", async () => {
  const [mine, other] = [await selling(), await selling()];
  await other.sale();
  const at = (days: number) => new Date(on.clock.now() - days * 86_400_000);
  const reviewed = await mine.sale({ at: at(1), status: 'review' });
  const pending = await mine.sale({ at: at(0) });
  const other_link = await on.link(mine.tenant_id);
  const elsewhere = await mine.sale({ at: at(2), link_id: other_link });
  const ids = async (query = '') =>
    (await on.call('GET', `/v1/conversions?${query}`, { token: mine.token })).json.map(
      (row: { conv_id: string }) => row.conv_id,
    );
  expect(await ids()).toEqual([pending, reviewed, elsewhere]);
  expect(await ids(`link_id=${other_link}`)).toEqual([elsewhere]);
  expect(await ids('reward_status=review')).toEqual([reviewed]);
  expect(await ids('status=cancelled')).toEqual([]);
  expect(await ids(`from=${at(1.5).toISOString()}&to=${at(0.5).toISOString()}`)).toEqual([reviewed]);
  expect(await ids(`link_id=${other.link_id}`)).toEqual([]);
});

test('the Link header leads through all conversions once', async () => {
  const { token, sale } = await selling();
  const ids = [];
  for (let n = 0; n < 5; n++) ids.push(await sale());
  const seen: string[] = [];
  let path: string | undefined = '/v1/conversions?limit=2';
  while (path) {
    const answer = await on.call('GET', path, { token });
    seen.push(...answer.json.map((row: { conv_id: string }) => row.conv_id));
    path = /^<https:\/\/[^/]+([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  expect(seen.toSorted()).toEqual(ids.toSorted());
});

test("another tenant's conversion is not there, and naming another tenant is refused", async () => {
  const [mine, other] = [await selling(), await selling()];
  const conv_id = await other.sale();
  for (const id of [conv_id, '1', 'x', '99999999999999999999']) {
    expect((await on.call('GET', `/v1/conversions/${id}`, { token: mine.token })).status).toBe(404);
  }
  const path = `/v1/conversions?tenant_id=${other.tenant_id}&limit=x`;
  expect((await on.call('GET', path, { token: mine.token })).status).toBe(403);
});

test.each(['status=done', 'reward_status=x', 'link_id=x', 'from=today', 'cursor=x', 'limit=0', 'order_id='])(
  '%s is 422',
  async (query) => {
    const { token } = await on.tenant();
    expect((await on.call('GET', `/v1/conversions?${query}`, { token })).status).toBe(422);
  },
);
