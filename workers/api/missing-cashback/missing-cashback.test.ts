import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../../tests/support/two-tenants.ts';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

const today = (): string => new Date(on.clock.now()).toISOString().slice(0, 10);
const day = (days: number): string => new Date(on.clock.now() - days * 86_400_000).toISOString().slice(0, 10);
const purchase = (change: Record<string, unknown> = {}) => ({
  brand: 'NILA',
  date: today(),
  order_id: `ORD-${on.uuid()}`,
  amount: 1234.5,
  ...change,
});
const claim = (token: string, json: unknown) => on.call('POST', '/v1/missing-cashback', { token, json });

describe('POST /v1/missing-cashback', () => {
  test('writes the claim down and has it searched for at once', async () => {
    await on.offer();
    const { token } = await on.user();
    const { status, json } = await claim(token, purchase({ order_id: ' A-1 ' }));
    expect(status).toBe(200);
    expect(json).toMatchObject({ brand: 'Nila', order_id: 'A-1', amount: '1234.50', status: 'open', conv_id: null });
    expect(json.operations).toBeUndefined();
    expect(on.postbacks.at(-1)).toEqual({ kind: 'missing_cashback', claim_id: json.claim_id });
  });

  test('names the shop by an offer as well, and is kept although the queue refuses', async () => {
    const offer_id = await on.offer({ merchant: 'volt', brand: 'Volt' });
    const { token } = await on.user();
    on.failing.queue = 1;
    const { status, json } = await claim(token, purchase({ brand: undefined, offer_id }));
    expect([status, json.brand, json.offer_id]).toEqual([200, 'Volt', offer_id]);
    const [row] = await on.sql('select searched_at from missing_cashback_claims where claim_id = $1', [json.claim_id]);
    expect(row).toEqual({ searched_at: null });
  });

  test('is one an order, whatever its letters, and ten in 30 days', async () => {
    const { token } = await on.user();
    expect((await claim(token, purchase({ order_id: 'X-1' }))).status).toBe(200);
    expect(await claim(token, purchase({ order_id: 'x-1' }))).toMatchObject({
      status: 409,
      json: { code: 'conflict' },
    });
    for (let n = 0; n < 9; n++) expect((await claim(token, purchase())).status).toBe(200);
    const refused = await claim(token, purchase());
    expect(refused).toMatchObject({ status: 429, json: { code: 'rate_limited' } });
    expect(refused.headers.get('retry-after')).toBe('86400');
  });

  test('is ten in 30 days also for thirty at the same moment, and one an order', async () => {
    const [{ token }, other] = [await on.user(), await on.user()];
    const answers = await Promise.all(Array.from({ length: 30 }, () => claim(token, purchase())));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20);
    const same = await Promise.all(Array.from({ length: 10 }, () => claim(other.token, purchase({ order_id: 'One' }))));
    expect(same.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
  });

  test.each([
    ['brand', { brand: 'No such shop' }],
    ['brand', { brand: undefined }],
    ['brand', { offer_id: 7 }],
    ['offer_id', { brand: undefined, offer_id: 2_147_483_647 }],
    ['date', { date: '2026-02-30' }],
    ['order_id', { order_id: ' ' }],
    ['amount', { amount: 0 }],
    ['amount', { amount: '12.345' }],
    ['amount', { amount: '10000000.01' }],
  ])('refuses %s: %j', async (field, change) => {
    const { token } = await on.user();
    const answer = await claim(token, purchase(change));
    expect(answer.status, answer.text).toBe(422);
    expect(answer.json.errors).toMatchObject([{ field }]);
  });

  test('refuses a day in the future, and one more than 90 days back', async () => {
    const { token } = await on.user();
    expect((await claim(token, purchase({ date: day(-2) }))).status).toBe(422);
    expect((await claim(token, purchase({ date: day(91) }))).status).toBe(422);
    expect((await claim(token, purchase({ date: day(90) }))).status).toBe(200);
    expect((await claim(token, purchase({ date: day(-1) }))).status).toBe(200);
  });
});

describe('GET /v1/missing-cashback', () => {
  test('shows a shopper the own claims, newest first and page by page, without what operators decide by', async () => {
    const [me, other] = [await on.user(), await on.user()];
    await claim(other.token, purchase());
    const made: string[] = [];
    for (let n = 0; n < 3; n++) {
      on.clock.advance(1_000);
      made.unshift((await claim(me.token, purchase())).json.claim_id);
    }
    const first = await on.call('GET', '/v1/missing-cashback?limit=2', { token: me.token });
    expect(first.json.map((row: { claim_id: string }) => row.claim_id)).toEqual(made.slice(0, 2));
    expect(first.text).not.toContain('operations');
    const next = /^<https:\/\/[^/]+([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await on.call('GET', next, { token: me.token });
    expect(second.json.map((row: { claim_id: string }) => row.claim_id)).toEqual(made.slice(2));
  });

  test('shows operators everybody’s in a status, with the evidence', async () => {
    const { token, user_id } = await on.user();
    const { json } = await claim(token, purchase());
    await on.sql(
      `update missing_cashback_claims set evidence = '{"clicks": []}', rule = 'no_click' where claim_id = $1`,
      [json.claim_id],
    );
    const { token: operator } = await on.operator();
    const listed = await on.call('GET', '/v1/missing-cashback?limit=100', { token: operator });
    expect(listed.json.find((row: { claim_id: string }) => row.claim_id === json.claim_id)).toMatchObject({
      operations: { user_id, rule: 'no_click', evidence: { clicks: [] } },
    });
    expect((await on.call('GET', '/v1/missing-cashback?status=rejected', { token: operator })).json).toEqual([]);
  });
});

describe('POST /v1/missing-cashback/:claim_id/decide', () => {
  async function open() {
    const shopper = await on.user();
    const { json } = await claim(shopper.token, purchase());
    const { token } = await on.operator();
    const decide = (body: Record<string, unknown>) =>
      on.call('POST', `/v1/missing-cashback/${json.claim_id}/decide`, { token, json: body });
    return { ...shopper, claim_id: json.claim_id as string, decide };
  }
  const audited = (claim_id: string) =>
    on.sql('select action, reason from audit_log where subject = $1', [`missing_cashback:${claim_id}`]);

  test('rejects with a reason that the shopper reads, once', async () => {
    const { claim_id, token, decide } = await open();
    expect(await decide({ decision: 'reject', reason: 'The order was returned' })).toMatchObject({
      status: 200,
      json: { status: 'rejected', reason: 'The order was returned' },
    });
    expect((await on.call('GET', '/v1/missing-cashback', { token })).json).toMatchObject([
      { claim_id, status: 'rejected', reason: 'The order was returned' },
    ]);
    expect(await audited(claim_id)).toEqual([
      { action: 'missing_cashback.rejected', reason: 'The order was returned' },
    ]);
    expect((await decide({ decision: 'reject', reason: 'Again' })).status).toBe(409);
  });

  const sale = async (user_id: string | null) => {
    const { tenant_id } = await on.tenant();
    const link_id = await on.link(tenant_id);
    const at = new Date(on.clock.now());
    return on.reward({
      tenant_id,
      link_id,
      ...(user_id !== null && { user_id }),
      at,
      user_amount: '5.00',
      creator_amount: '5.00',
      status: 'pending',
    });
  };

  test('approves with a conversion that nobody’s shopper is known of, which the ledger consumer attaches', async () => {
    const { claim_id, decide } = await open();
    const conv_id = await sale(null);
    expect((await decide({ decision: 'approve', reason: 'It is theirs', conv_id })).json.status).toBe('approved');
    expect(on.postbacks.at(-1)).toEqual({ kind: 'missing_cashback', claim_id });
    expect(await on.sql('select decision from missing_cashback_claims where claim_id = $1', [claim_id])).toEqual([
      { decision: { conv_id } },
    ]);
    expect(await audited(claim_id)).toEqual([{ action: 'missing_cashback.approved', reason: 'It is theirs' }]);
  });

  test('is told at once of a conversion that there is not, or that is another shopper’s', async () => {
    const { claim_id, user_id, decide } = await open();
    const theirs = await sale((await on.user()).user_id);
    for (const conv_id of ['42', '9223372036854775808', theirs]) {
      const answer = await decide({ decision: 'approve', reason: 'It is theirs', conv_id });
      expect([answer.status, answer.json.errors]).toMatchObject([422, [{ field: 'conv_id' }]]);
    }
    expect(await on.sql('select status from missing_cashback_claims where claim_id = $1', [claim_id])).toEqual([
      { status: 'open' },
    ]);
    expect((await decide({ decision: 'approve', reason: 'Own', conv_id: await sale(user_id) })).status).toBe(200);
  });

  test('approves with an unmatched postback and a link: the click is the shopper’s, by a reference of ours', async () => {
    const { claim_id, user_id, decide } = await open();
    const link_id = await on.link((await on.tenant()).tenant_id);
    const unmatched_id = String(newId());
    await on.sql(
      `insert into unmatched_conversions (unmatched_id, reason, raw, source, received_at) values ($1, 'missing_click', '{}', 'postback', now())`,
      [unmatched_id],
    );
    const approval = { decision: 'approve', reason: 'Receipt seen', unmatched_id };
    expect((await decide(approval)).status).toBe(422);
    expect((await decide({ ...approval, link_id: on.uuid() })).status).toBe(422);
    expect((await decide({ ...approval, link_id, sale_amount: '99.90' })).status).toBe(200);
    const [row] = await on.sql<{ decision: { assignment: { click: string } } }>(
      'select decision from missing_cashback_claims where claim_id = $1',
      [claim_id],
    );
    expect(row?.decision).toMatchObject({ unmatched_id, assignment: { sale_amount: '99.90' } });
    expect(row?.decision.assignment.click).toHaveLength(76);
    expect(await on.sql('select 1 from visitors where user_id = $1', [user_id])).toHaveLength(1);
  });

  test('is refused without exactly one thing that the claim is about, and for what is not there', async () => {
    const { decide } = await open();
    for (const body of [
      { decision: 'approve', reason: 'Nothing named' },
      { decision: 'approve', reason: 'Two named', conv_id: '1', unmatched_id: '2', click_id: '3' },
      { decision: 'approve', reason: 'x', conv_id: '1' },
    ])
      expect((await decide(body)).status).toBe(422);
    expect((await decide({ decision: 'approve', reason: 'Not there', unmatched_id: '77', click_id: '3' })).status).toBe(
      404,
    );
    const { token } = await on.operator();
    const nowhere = await on.call('POST', `/v1/missing-cashback/${on.uuid()}/decide`, {
      token,
      json: { decision: 'reject', reason: 'Nobody’s' },
    });
    expect(nowhere.status).toBe(404);
  });
});
