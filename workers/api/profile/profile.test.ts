import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';
import { untilWaiting } from '../waiting.fake.ts';

let on: Stage;
let phones = 0;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

const freshPhone = (): string => `+9165432${String(phones++).padStart(5, '0')}`;

async function shopper() {
  const { user_id, token } = await on.user();
  const phone = freshPhone();
  await on.sql('update users set phone = $2 where user_id = $1', [user_id, phone]);
  const me = (method: string, path = '', json?: unknown) =>
    on.call(method, `/v1/me${path}`, { token, ...(json !== undefined && { json }) });
  const row = async () => (await on.sql('select * from users where user_id = $1', [user_id]))[0];
  return { user_id, token, phone, me, row };
}

async function earning(status: string) {
  const [person, { tenant_id }] = [await shopper(), await on.tenant()];
  const link_id = await on.link(tenant_id);
  const amounts = { user_amount: '40.00', creator_amount: '40.00' };
  const { user_id } = person;
  const born = status === 'paid' ? 'confirmed' : status;
  await on.reward({ tenant_id, link_id, user_id, at: new Date(on.clock.now()), status: born, ...amounts });
  if (status === 'paid') await on.sql("update ledger set status = 'paid' where user_id = $1", [user_id]);
  return { ...person, tenant_id };
}

const account = (tenant_id: string, payee: string, available: string) =>
  on.sql('insert into payee_accounts (tenant_id, side, payee, currency, available) values ($1, $2, $3, $4, $5)', [
    ...[tenant_id, 'shopper', payee, 'INR', available],
  ]);

async function payout(tenant_id: string, user_id: string, status: string, columns: Record<string, unknown> = {}) {
  const payout_id = on.uuid();
  const row = {
    ...{ payout_id, tenant_id, side: 'shopper', payee: user_id, user_id, currency: 'INR', amount: '40.00', status },
    ...{
      creation_request_id: payout_id.replaceAll('-', ''),
      agcod_endpoint: 'https://a.test',
      agcod_region: 'eu-west-1',
    },
    ...{ partner_id: 'Test1', next_attempt_at: new Date(), created_at: new Date(), status_at: new Date() },
    ...columns,
  };
  const places = Object.keys(row).map((_, index) => `$${index + 1}`);
  await on.sql(`insert into payouts (${Object.keys(row).join()}) values (${places.join()})`, Object.values(row));
  return payout_id;
}

describe('GET and PATCH /v1/me', () => {
  test('show and change one’s own profile, and nobody else’s', async () => {
    const [me, other] = [await shopper(), await shopper()];
    const change = { name: '  Asha  ', email: ' Asha@Example.test ', language: 'hi' };
    const answer = await me.me('PATCH', '', change);
    const expected = { name: 'Asha', email: 'asha@example.test', language: 'hi', phone: me.phone, has_kyc: false };
    expect(answer).toMatchObject({ status: 200, json: { user_id: me.user_id, ...expected } });
    expect((await me.me('GET')).json).toEqual(answer.json);
    expect((await other.me('GET')).json).toMatchObject({ name: null, email: null });
    expect((await me.me('PATCH', '', { name: null })).json).toMatchObject({ name: null, email: 'asha@example.test' });
  });

  test.each([
    [{}],
    [{ name: '' }],
    [{ name: 'x'.repeat(121) }],
    [{ name: 'a\u0000b' }],
    [{ email: 'nobody' }],
    [{ email: `${'x'.repeat(250)}@a.test` }],
    [{ language: 'fr' }],
    [{ phone: '+919876543210' }],
    [{ kyc_hash: 'x' }],
    [{ user_id: 'x' }],
  ])('%j is 422 and changes nothing', async (json) => {
    const { me, row } = await shopper();
    const before = await row();
    expect(await me('PATCH', '', json)).toMatchObject({ status: 422, json: { code: 'invalid_field' } });
    expect(await row()).toEqual(before);
  });
});

describe('POST /v1/me/kyc', () => {
  test('keeps a keyed hash, never the PAN, and says only that there is one', async () => {
    const { me, row } = await shopper();
    const logged = on.logs.length;
    const answer = await me('POST', '/kyc', { pan: 'abcpe 1234 f' });
    expect(answer).toMatchObject({ status: 200, json: { has_kyc: true } });
    const { kyc_hash } = (await row()) as { kyc_hash: string };
    expect(kyc_hash).toMatch(/^1\.[\w-]{43}$/);
    expect(answer.text).not.toContain(kyc_hash);
    expect(answer.text + on.logs.slice(logged).join()).not.toMatch(/abcpe/i);
    expect(JSON.stringify(await on.sql('select * from audit_log'))).not.toMatch(/abcpe/i);
  });

  test('the same PAN may be given again, another may not', async () => {
    const { me, row } = await shopper();
    await me('POST', '/kyc', { pan: 'ABCPE1234F' });
    const before = await row();
    expect((await me('POST', '/kyc', { pan: 'ABCPE1234F' })).status).toBe(200);
    expect(await me('POST', '/kyc', { pan: 'ABCPE1234G' })).toMatchObject({ status: 409, json: { code: 'conflict' } });
    expect(await row()).toEqual(before);
  });

  test.each([[{ pan: 'ABCXE1234F' }], [{ pan: '' }], [{}], [{ pan: 7 }], [{ pan: 'ABCPE1234F', x: 1 }]])(
    '%j is 422',
    async (json) => {
      expect((await (await shopper()).me('POST', '/kyc', json)).status).toBe(422);
    },
  );
});

describe('GET /v1/me/export', () => {
  test('is everything kept of oneself, nothing of anybody else, and no hash', async () => {
    const [me, other] = [await earning('confirmed'), await earning('confirmed')];
    await account(me.tenant_id, me.user_id, '40.00');
    await me.me('POST', '/kyc', { pan: 'ABCPE1234F' });
    const answer = await me.me('GET', '/export');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-disposition')).toContain('attachment');
    expect(answer.json).toMatchObject({
      profile: { user_id: me.user_id, phone: me.phone },
      rewards: [{ amount: '40.00', status: 'confirmed', tenant_id: me.tenant_id }],
      conversions: [{ tenant_id: me.tenant_id }],
      balances: [{ available: '40.00', currency: 'INR' }],
      incomplete: [],
    });
    for (const secret of [other.user_id, other.tenant_id, other.phone, 'kyc_hash'])
      expect(answer.text).not.toContain(secret);
  });

  test('has a part for every table that belongs to a person', async () => {
    const parts: Record<string, string> = {
      ...{
        users: 'profile',
        sessions: 'sessions',
        tenant_members: 'memberships',
        visitors: 'visitors',
        clicks: 'clicks',
      },
      ...{ conversions: 'conversions', ledger: 'rewards', payee_accounts: 'balances', payouts: 'payouts' },
      ...{ missing_cashback_claims: 'missing_cashback', notifications: 'notifications' },
      notification_preferences: 'notification_preferences',
    };
    const me = await earning('confirmed');
    await on.sql(
      `insert into missing_cashback_claims (claim_id, user_id, merchant, brand, purchased_on, order_id, amount, created_at)
       values ($1, $2, 'nila', 'Nila', now(), $3, 10, now())`,
      [on.uuid(), me.user_id, `order-${me.user_id}`],
    );
    await on.sql('insert into notification_preferences (user_id, paid, updated_at) values ($1, false, now())', [
      me.user_id,
    ]);
    const tables = await on.sql<{ name: string }>(
      `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id'
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'operators'`,
    );
    expect(tables.map(({ name }) => name).filter((name) => !(name in parts))).toEqual([]);
    const { json } = await me.me('GET', '/export');
    expect(Object.keys(json)).toEqual(expect.arrayContaining(Object.values(parts)));
    expect(json).toMatchObject({
      missing_cashback: [{ order_id: `order-${me.user_id}`, status: 'open' }],
      notification_preferences: [{ paid: false }],
    });
  });
});

describe('DELETE /v1/me', () => {
  const gone = { phone: null, email: null, name: null, kyc_hash: null, language: 'en' };

  test('erases the person, ends the sessions and frees the phone; the row and the ledger stay', async () => {
    const { me, row, user_id, phone, token } = await earning('paid');
    await me('PATCH', '', { name: 'Asha', email: 'a@b.test', language: 'hi' });
    await me('POST', '/kyc', { pan: 'ABCPE1234F' });
    const ledger = () => on.sql('select * from ledger where user_id = $1', [user_id]);
    const before = await ledger();
    const answer = await me('DELETE');
    expect(answer.status).toBe(204);
    expect(answer.headers.get('set-cookie')).toContain('__Host-hb_refresh=; Max-Age=0');
    expect(await row()).toMatchObject({ ...gone, deleted_at: new Date(on.clock.now()) });
    expect(await ledger()).toEqual(before);
    expect((await on.call('GET', '/v1/me', { token })).status).toBe(401);
    const [fresh] = await on.sql<{ user_id: string }>('select user_id from login_user($1, $2, now())', [
      phone,
      on.uuid(),
    ]);
    expect(fresh?.user_id).not.toBe(user_id);
    expect(await on.sql('select action, details from audit_log where subject = $1', [`user:${user_id}`])).toEqual([
      { action: 'user.erased', details: { forfeit: false } },
    ]);
  });

  test.each(['queued', 'held', 'error_soft', 'error_hard'])(
    'waits for a payout on its way (%s), whatever is given up',
    async (status) => {
      const { me, row, user_id, tenant_id } = await earning('confirmed');
      await payout(tenant_id, user_id, status);
      const before = await row();
      const answer = await me('DELETE', '?forfeit_balance=true');
      expect(answer).toMatchObject({ status: 409, json: { code: 'conflict' } });
      expect(answer.json.detail).toContain('on its way');
      expect(await row()).toEqual(before);
    },
  );

  test('does not wait for one that an operator resolved or that was cancelled', async () => {
    const { me, user_id, tenant_id } = await earning('paid');
    await payout(tenant_id, user_id, 'error_hard', { resolved_at: new Date() });
    await payout(tenant_id, user_id, 'cancelled');
    expect((await me('DELETE')).status).toBe(204);
  });

  test('a reservation at the same moment and the erasure never both happen', async () => {
    const { me, user_id, tenant_id } = await earning('confirmed');
    await account(tenant_id, user_id, '40.00');
    await on.sql('begin');
    await on.sql('select from payee_accounts where payee = $1 for update', [user_id]);
    const erasing = me('DELETE', '?forfeit_balance=true');
    await untilWaiting(on, erasing);
    await payout(tenant_id, user_id, 'queued');
    await on.sql('commit');
    expect((await erasing).status).toBe(409);
  });

  test.each(['pending', 'review'])('asks before money is given up: a reward that is %s', async (status) => {
    const { me, row } = await earning(status);
    const refused = await me('DELETE');
    expect(refused).toMatchObject({
      status: 409,
      json: { code: 'conflict', balances: [{ currency: 'INR', available: '0.00', pending: '40.00' }] },
    });
    expect((await me('DELETE', '?forfeit_balance=false')).status).toBe(409);
    expect((await me('DELETE', '?forfeit_balance=yes')).status).toBe(422);
    expect((await me('DELETE', '?forfeit_balance=true')).status).toBe(204);
    expect(await row()).toMatchObject(gone);
  });

  test('asks before a balance is given up, and the books keep it', async () => {
    const { me, user_id, tenant_id } = await earning('confirmed');
    await account(tenant_id, user_id, '40.00');
    expect((await me('DELETE')).json.balances).toEqual([{ currency: 'INR', available: '40.00', pending: '0.00' }]);
    expect((await me('DELETE', '?forfeit_balance=true')).status).toBe(204);
    expect(await on.sql('select available from payee_accounts where payee = $1', [user_id])).toEqual([
      { available: '40.00' },
    ]);
  });

  test('the only owner of a tenant and an operator stay; an owner among others leaves, and their keys with them', async () => {
    const { tenant_id, user_id, token } = await on.tenant();
    const erase = () => on.call('DELETE', '/v1/me', { token });
    expect((await erase()).json.detail).toContain('only owner');
    await on.sql("insert into tenant_members values ($1, $2, 'owner', now())", [tenant_id, (await on.user()).user_id]);
    const key = await on.call('POST', '/v1/api-keys', { token, json: { name: 'Server', scopes: ['offers:read'] } });
    expect((await erase()).status).toBe(204);
    expect(await on.sql('select from tenant_members where user_id = $1', [user_id])).toEqual([]);
    expect((await on.call('GET', '/v1/offers', { token: key.json.key })).status).toBe(401);
    const operator = await on.operator();
    expect((await on.call('DELETE', '/v1/me', { token: operator.token })).json.detail).toContain('Operators');
  });

  test('two owners who leave at once: one stays', async () => {
    const { tenant_id, token } = await on.tenant();
    const { user_id } = await on.user();
    await on.sql("insert into tenant_members values ($1, $2, 'owner', now())", [tenant_id, user_id]);
    const other = await on.token({ sub: user_id, role: 'creator', tenantId: tenant_id });
    const answers = await Promise.all([token, other].map((one) => on.call('DELETE', '/v1/me', { token: one })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([204, 409]);
  });

  test('that could not end a session is done again by a repetition', async () => {
    const { me, token } = await shopper();
    const real = on.env.SESSIONS.get;
    (on.env.SESSIONS as { get: unknown }).get = (id: DurableObjectId) => ({
      ...on.sessions.calls(id.toString()),
      revoke: () => Promise.reject(new Error('away')),
    });
    expect((await me('DELETE')).status).toBe(503);
    (on.env.SESSIONS as { get: unknown }).get = real;
    expect((await me('DELETE')).status).toBe(204);
    expect((await on.call('GET', '/v1/me', { token })).status).toBe(401);
  });
});
