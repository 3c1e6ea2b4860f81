import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';
import { untilWaiting } from '../waiting.fake.ts';

let on: Stage;
let phones = 0;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

const freshPhone = (): string => `+9176111${String(phones++).padStart(5, '0')}`;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A user with a phone, and a shopper's token. */
async function person(phone = freshPhone()) {
  const { user_id, token } = await on.user();
  await on.sql('update users set phone = $2, name = $3 where user_id = $1', [user_id, phone, 'Ravi']);
  return { user_id, token, phone };
}

/** A tenant, its owner, and what the owner may do. */
async function tenant() {
  const owner = await on.tenant();
  const base = `/v1/tenants/${owner.tenant_id}`;
  const as = (token: string) => (method: string, path: string, json?: unknown) =>
    on.call(method, base + path, { token, ...(json !== undefined && { json }) });
  const join = async (role: 'owner' | 'member') => {
    const joined = await person();
    await on.sql('insert into tenant_members values ($1, $2, $3, now())', [owner.tenant_id, joined.user_id, role]);
    const token = await on.token({ sub: joined.user_id, role: 'creator', tenantId: owner.tenant_id });
    return { ...joined, token, call: as(token) };
  };
  const members = async () =>
    (
      await on.sql<{ user_id: string; role: string }>('select user_id, role from tenant_members where tenant_id = $1', [
        owner.tenant_id,
      ])
    ).map((row) => `${row.role} ${row.user_id}`);
  return { ...owner, call: as(owner.token), as, join, members };
}

const answer = (token: string, id: string, how: 'accept' | 'decline' = 'accept') =>
  on.call('POST', `/v1/invitations/${id}/${how}`, { token });
const inbox = async (token: string) => (await on.call('GET', '/v1/invitations', { token })).json;

describe('an invitation', () => {
  test('reaches whoever logs in with the phone, known before or not, and makes them a member', async () => {
    const shop = await tenant();
    const phone = freshPhone();
    const invited = await shop.call('POST', '/invitations', { phone, role: 'member' });
    expect(invited).toMatchObject({ status: 200, json: { role: 'member', phone_end: phone.slice(-4) } });
    expect(invited.text).not.toContain(phone);
    const later = await person(phone);
    expect(await inbox(later.token)).toMatchObject([
      {
        invitation_id: invited.json.invitation_id,
        tenant_id: shop.tenant_id,
        tenant_name: 'Asha shares',
        role: 'member',
      },
    ]);
    expect(await answer(later.token, invited.json.invitation_id)).toMatchObject({
      status: 200,
      json: { tenant_id: shop.tenant_id },
    });
    expect(await shop.members()).toContain(`member ${later.user_id}`);
    expect(await inbox(later.token)).toEqual([]);
    expect(await on.sql('select phone, status from invitations where tenant_id = $1', [shop.tenant_id])).toEqual([
      { phone: null, status: 'accepted' },
    ]);
  });

  test('answers alike whether or not the phone is known, invited or a member', async () => {
    const shop = await tenant();
    const [known, member] = [await person(), await shop.join('member')];
    const shape = async (phone: string) => {
      const { status, json } = await shop.call('POST', '/invitations', { phone, role: 'member' });
      return { status, ...json, invitation_id: '', phone_end: '' };
    };
    const first = await shape(freshPhone());
    for (const phone of [known.phone, member.phone, known.phone]) expect(await shape(phone)).toEqual(first);
  });

  test('is nobody else’s: a stranger finds none and can neither accept nor decline it', async () => {
    const shop = await tenant();
    const invited = await shop.call('POST', '/invitations', { phone: freshPhone() });
    const stranger = await person();
    expect(await inbox(stranger.token)).toEqual([]);
    const answers = [];
    for (const id of [invited.json.invitation_id, on.uuid(), 'x']) {
      for (const how of ['accept', 'decline'] as const) {
        const { status, json } = await answer(stranger.token, id, how);
        answers.push({ status, ...json, request_id: '' });
      }
    }
    expect(answers[0]).toMatchObject({ status: 404 });
    for (const one of answers) expect(one).toEqual(answers[0]);
    expect(await shop.members()).toHaveLength(1);
  });

  test('is answered once, also by two clicks at the same time', async () => {
    const shop = await tenant();
    const friend = await person();
    const { json } = await shop.call('POST', '/invitations', { phone: friend.phone });
    const answers = await Promise.all([1, 2, 3].map(() => answer(friend.token, json.invitation_id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404]);
    expect((await answer(friend.token, json.invitation_id, 'decline')).status).toBe(404);
  });

  test('is not accepted by somebody who is being erased: the answer waits, and finds nobody', async () => {
    const shop = await tenant();
    const friend = await person();
    const { json } = await shop.call('POST', '/invitations', { phone: friend.phone });
    await on.sql('begin');
    await on.sql('select from users where user_id = $1 for update', [friend.user_id]);
    await on.sql('update users set deleted_at = now() where user_id = $1', [friend.user_id]);
    const accepting = answer(friend.token, json.invitation_id);
    await untilWaiting(on, accepting);
    await on.sql('commit');
    expect((await accepting).status).toBe(404);
    expect(await shop.members()).toEqual([`owner ${shop.user_id}`]);
  });

  test('that is declined, taken back, expired or of a suspended tenant is gone', async () => {
    const shop = await tenant();
    const friend = await person();
    const invite = async () => (await shop.call('POST', '/invitations', { phone: friend.phone })).json.invitation_id;
    const declined = await invite();
    expect((await answer(friend.token, declined, 'decline')).status).toBe(200);
    expect((await answer(friend.token, declined)).status).toBe(404);
    const revoked = await invite();
    expect((await shop.call('DELETE', `/invitations/${revoked}`)).status).toBe(204);
    expect((await shop.call('DELETE', `/invitations/${revoked}`)).status).toBe(404);
    expect((await answer(friend.token, revoked)).status).toBe(404);
    const expired = await invite();
    on.clock.advance(14 * DAY);
    expect((await answer(await on.token({ sub: friend.user_id, role: 'shopper' }), expired)).status).toBe(404);
    on.clock.advance(-14 * DAY);
    const closed = await invite();
    await on.sql("update tenants set status = 'suspended' where tenant_id = $1", [shop.tenant_id]);
    expect((await answer(friend.token, closed)).status).toBe(404);
    expect(await shop.members()).toHaveLength(1);
  });

  test('falls with whoever made it (money rule 24)', async () => {
    const shop = await tenant();
    const [maker, friend] = [await shop.join('owner'), await person()];
    const { json } = await maker.call('POST', '/invitations', { phone: friend.phone });
    await on.sql("update tenant_members set role = 'member' where user_id = $1", [maker.user_id]);
    expect(await inbox(friend.token)).toEqual([]);
    expect((await answer(friend.token, json.invitation_id)).status).toBe(404);
  });

  test('repeated has the new role and term under its old id; accepted as owner it raises a member', async () => {
    const shop = await tenant();
    const member = await shop.join('member');
    const first = await shop.call('POST', '/invitations', { phone: member.phone, role: 'member' });
    on.clock.advance(HOUR);
    const second = await shop.call('POST', '/invitations', { phone: member.phone, role: 'owner' });
    expect(second.json).toMatchObject({ invitation_id: first.json.invitation_id, role: 'owner' });
    expect(Date.parse(second.json.expires_at)).toBe(on.clock.now() + 14 * DAY);
    const token = await on.token({ sub: member.user_id, role: 'shopper' });
    await answer(token, first.json.invitation_id);
    expect(await shop.members()).toContain(`owner ${member.user_id}`);
    const lower = await shop.call('POST', '/invitations', { phone: member.phone, role: 'member' });
    await answer(token, lower.json.invitation_id);
    expect(await shop.members()).toContain(`owner ${member.user_id}`);
    on.clock.advance(-HOUR);
  });

  test('is made by owners only; members see the open ones', async () => {
    const shop = await tenant();
    const member = await shop.join('member');
    const phone = freshPhone();
    expect((await member.call('POST', '/invitations', { phone })).status).toBe(403);
    const { json } = await shop.call('POST', '/invitations', { phone });
    expect((await member.call('DELETE', `/invitations/${json.invitation_id}`)).status).toBe(403);
    const list = await member.call('GET', '/invitations');
    expect(list.json).toEqual([json]);
    expect(list.text).not.toContain(phone);
  });

  test('fifty are open at most', async () => {
    const shop = await tenant();
    const phone = freshPhone();
    await shop.call('POST', '/invitations', { phone });
    await on.sql(
      `insert into invitations (invitation_id, tenant_id, phone, role, invited_by, created_at, expires_at, status_at)
       select gen_random_uuid(), $1, '+9188888' || (10000 + n), 'member', $2, now(), now() + interval '1 day', now() from generate_series(1, 49) n`,
      [shop.tenant_id, shop.user_id],
    );
    expect((await shop.call('POST', '/invitations', { phone: freshPhone() })).status).toBe(409);
    expect((await shop.call('POST', '/invitations', { phone })).status).toBe(200);
  });

  test.each([
    [{ phone: '+14155550100' }],
    [{ phone: 'x' }],
    [{ phone: 7 }],
    [{}],
    [{ phone: '+919876543210', role: 'admin' }],
    [{ phone: '+919876543210', x: 1 }],
  ])('%j is 422', async (json) => {
    const shop = await tenant();
    expect(await shop.call('POST', '/invitations', json)).toMatchObject({
      status: 422,
      json: { code: 'invalid_field' },
    });
  });
});

describe('the members of a tenant', () => {
  test('are listed to each other, of a phone only its end', async () => {
    const shop = await tenant();
    const member = await shop.join('member');
    const list = await member.call('GET', '/members');
    expect(list.json).toMatchObject([
      { user_id: shop.user_id, role: 'owner', phone_end: null },
      { user_id: member.user_id, role: 'member', name: 'Ravi', phone_end: member.phone.slice(-4) },
    ]);
    expect(list.text).not.toContain(member.phone);
  });

  test('are removed by an owner or leave by themselves, and their keys and invitations end', async () => {
    const shop = await tenant();
    const [one, two, friend] = [await shop.join('owner'), await shop.join('member'), await person()];
    const key = await on.call('POST', '/v1/api-keys', {
      token: one.token,
      json: { name: 'x', scopes: ['offers:read'] },
    });
    const { json } = await one.call('POST', '/invitations', { phone: friend.phone });
    expect((await two.call('DELETE', `/members/${one.user_id}`)).status).toBe(403);
    expect((await shop.call('DELETE', `/members/${one.user_id}`)).status).toBe(204);
    expect((await on.call('GET', '/v1/offers', { token: key.json.key })).status).toBe(401);
    expect((await answer(friend.token, json.invitation_id)).status).toBe(404);
    expect((await two.call('DELETE', `/members/${two.user_id}`)).status).toBe(204);
    expect(await shop.members()).toEqual([`owner ${shop.user_id}`]);
    const [removed] = await on.sql('select actor, action from audit_log where subject = $1', [`user:${one.user_id}`]);
    expect(removed).toEqual({ actor: `user:${shop.user_id}`, action: 'member.removed' });
  });

  test('the last owner stays, also when two owners remove each other at once', async () => {
    const shop = await tenant();
    await shop.join('member');
    expect((await shop.call('DELETE', `/members/${shop.user_id}`)).status).toBe(409);
    const other = await shop.join('owner');
    const answers = await Promise.all([
      shop.call('DELETE', `/members/${other.user_id}`),
      other.call('DELETE', `/members/${shop.user_id}`),
    ]);
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    expect((await shop.members()).filter((member) => member.startsWith('owner'))).toHaveLength(1);
  });

  test('an owner who leaves while the other one is being removed waits, and then is the last one', async () => {
    const shop = await tenant();
    const other = await shop.join('owner');
    await on.sql('begin');
    await on.sql('select from tenants where tenant_id = $1 for update', [shop.tenant_id]);
    await on.sql('delete from tenant_members where user_id = $1', [other.user_id]);
    const leaving = shop.call('DELETE', `/members/${shop.user_id}`);
    await untilWaiting(on, leaving);
    await on.sql('commit');
    expect((await leaving).status).toBe(409);
    expect(await shop.members()).toEqual([`owner ${shop.user_id}`]);
  });

  test('who was removed sees and changes nothing any more, whatever the day-old token says (money rule 24)', async () => {
    const shop = await tenant();
    const former = await shop.join('owner');
    await shop.call('DELETE', `/members/${former.user_id}`);
    for (const [method, path, json] of [
      ['GET', '/members', undefined],
      ['GET', '/invitations', undefined],
      ['POST', '/invitations', { phone: freshPhone() }],
      ['DELETE', `/members/${shop.user_id}`, undefined],
      ['DELETE', `/members/${former.user_id}`, undefined],
    ] as const) {
      expect((await former.call(method, path, json)).status, `${method} ${path}`).toBe(403);
    }
  });

  test('nobody who is no member is removed, and no id names nobody', async () => {
    const shop = await tenant();
    for (const id of [on.uuid(), 'x']) expect((await shop.call('DELETE', `/members/${id}`)).status).toBe(404);
  });
});
