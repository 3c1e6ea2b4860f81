import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

/** The month in India's time that is `back` months before the clock's. */
function monthsAgo(back: number): string {
  const now = new Date(on.clock.now() + 5.5 * 3_600_000);
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back)).toISOString().slice(0, 7);
}

test("a statement is a month of India's time, with rewards and payouts, and runs nothing in a spreadsheet", async () => {
  const [{ user_id, token }, tenant] = [await on.user(), await on.tenant()];
  const offer_id = await on.offer({ brand: '=HYPERLINK("x")' });
  const link_id = await on.link(tenant.tenant_id, { offer_id });
  const month = monthsAgo(1);
  const first = Date.parse(`${month}-01T00:00:00+05:30`);
  const last = Date.parse(`${monthsAgo(0)}-01T00:00:00+05:30`);
  const reward = (at: number) =>
    on.reward({
      ...{ tenant_id: tenant.tenant_id, link_id, user_id, at: new Date(at), status: 'confirmed' },
      ...{ user_amount: '50.00', creator_amount: '50.00' },
    });
  const inside = [await reward(first), await reward(last - 1)];
  await reward(first - 1);
  await reward(last);
  await on.sql(
    `insert into payouts (payout_id, tenant_id, side, payee, user_id, currency, amount, status, creation_request_id, agcod_endpoint, agcod_region,
       partner_id, card_may_exist, gc_id, next_attempt_at, paid_at, created_at, status_at)
     values ($1, $2, 'shopper', $3, $3, 'INR', 40, 'paid', $4, 'x', 'x', 'x', true, $4, $5, $5, $5, $5)`,
    [on.uuid(), tenant.tenant_id, user_id, on.uuid().replaceAll('-', ''), new Date(first + 86_400_000)],
  );
  const answer = await on.call('GET', `/v1/rewards/statement?month=${month}`, { token });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toContain('text/csv');
  expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="hissaback-${month}.csv"`);
  const [header, opening, payout, closing, end] = answer.text.split('\r\n');
  expect(header).toBe('date,kind,id,brand,status,amount,currency');
  expect(opening).toBe(`${month}-01,reward,${inside[0]},"'=HYPERLINK(""x"")",confirmed,50.00,INR`);
  expect(payout).toMatch(new RegExp(`^${month}-02,payout,[0-9a-f-]{36},,paid,-40.00,INR$`));
  expect(closing).toContain(`reward,${inside[1]},`);
  expect(end).toBe('');
});

test("somebody else's statement is refused, and a month is a month", async () => {
  const [me, other] = [await on.user(), await on.user()];
  const status = async (query: string) =>
    (await on.call('GET', `/v1/rewards/statement?${query}`, { token: me.token })).status;
  expect(await status(`month=2026-11&user_id=${other.user_id}`)).toBe(403);
  for (const query of ['', 'month=2026-13', 'month=2026-1', 'month=x']) expect(await status(query)).toBe(422);
});
