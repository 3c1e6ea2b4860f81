import { parseClickMessage } from '@hissaback/shared/contracts/click-message';
import { clickIdTime } from '@hissaback/shared/domain/click-id';
import { verifyClickReference } from '@hissaback/shared/domain/click-reference';
import { parseKeyring } from '@hissaback/shared/domain/keyring';
import { encodeVisitor } from '@hissaback/shared/domain/visitor';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ORIGIN, type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

async function link(change: Record<string, unknown> = {}) {
  const creator = await on.tenant();
  const campaign_id = await on.campaign(creator.tenant_id);
  const json = { campaign_id, offer_id: await on.offer() };
  const { link_id } = (await on.call('POST', '/v1/links', { token: creator.token, json })).json;
  for (const [column, value] of Object.entries(change)) {
    await on.sql(`update links set ${column} = $2 where link_id = $1`, [link_id, value]);
  }
  return { ...creator, campaign_id, link_id };
}

async function referenceIn(click_id: string) {
  const verified = await verifyClickReference(
    parseKeyring(on.env.REFERENCE_KEYS, 'REFERENCE_KEYS'),
    click_id,
    on.clock.now(),
  );
  if (!verified.ok) throw new Error(verified.reason);
  return verified;
}

test('a click without a user answers with an authentic reference, and is in the queue by then', async () => {
  const { link_id, tenant_id } = await link();
  const { token } = await on.user();
  const headers = {
    'cf-ipcountry': 'IN',
    referer: 'https://asha.example/private?x=1',
    'user-agent': 'Mozilla/5.0 (Linux; Android 15) Mobile',
  };
  const answer = await on.call('POST', '/v1/events/click', { token, json: { link_id }, headers });
  expect(answer.status).toBe(200);
  expect(Object.keys(answer.json)).toEqual(['click_id']);
  expect(answer.json.click_id).toHaveLength(76);
  const reference = await referenceIn(answer.json.click_id);
  expect(reference).toMatchObject({ linkId: link_id, visitorId: null });
  expect(clickIdTime(reference.clickId)).toBe(on.clock.now());
  const click = on.clicks.at(-1);
  expect(click).toEqual({
    click_id: reference.clickId.toString(),
    link_id,
    tenant_id,
    visitor_id: null,
    country: 'IN',
    device: 'mobile',
    referrer_host: 'asha.example',
    sub_id: null,
    source: 'api',
  });
  expect(parseClickMessage(click)).toEqual(click);
});

test("a click in one's own name carries one visitor that is bound to the user, and no user id", async () => {
  const { link_id } = await link();
  const { user_id, token } = await on.user();
  const references = [];
  for (let n = 0; n < 2; n++) {
    const answer = await on.call('POST', '/v1/events/click', { token, json: { link_id, user_id } });
    references.push(await referenceIn(answer.json.click_id));
  }
  const visitors = await on.sql('select visitor_id from visitors where user_id = $1', [user_id]);
  expect(visitors).toEqual([{ visitor_id: references[0]?.visitorId }]);
  expect(references[1]?.visitorId).toBe(references[0]?.visitorId);
  expect(JSON.stringify(on.clicks.at(-1))).not.toContain(user_id);
});

test('money rule 9: naming anyone else is refused before anything is validated', async () => {
  const { link_id } = await link();
  const [me, other] = [await on.user(), await on.user()];
  for (const json of [
    { link_id, user_id: other.user_id },
    { user_id: other.user_id, junk: 1 },
  ]) {
    const answer = await on.call('POST', '/v1/events/click', { token: me.token, json });
    expect(answer).toMatchObject({ status: 403, json: { code: 'forbidden' } });
  }
});

test('money rule 9: a widget clicks for its own tenant, and names no user', async () => {
  const [mine, other] = [await link(), await link()];
  const widget_id = on.uuid();
  const token = await on.token({ sub: widget_id, role: 'widget', tenantId: mine.tenant_id });
  const click = (json: unknown) => on.call('POST', '/v1/events/click', { token, json });
  expect((await click({ link_id: mine.link_id })).status).toBe(200);
  expect(on.clicks.at(-1)).toMatchObject({ source: 'widget', tenant_id: mine.tenant_id });
  expect((await click({ link_id: mine.link_id, user_id: widget_id })).status).toBe(403);
  expect((await click({ link_id: other.link_id })).status).toBe(404);
});

test("a creator's token, scoped to a tenant, reaches no other tenant's link; a shopper's reaches all", async () => {
  const [mine, other] = [await link(), await link()];
  const { token } = await on.user();
  for (const { link_id } of [mine, other]) {
    expect((await on.call('POST', '/v1/events/click', { token, json: { link_id } })).status).toBe(200);
  }
  expect(
    (await on.call('POST', '/v1/events/click', { token: mine.token, json: { link_id: mine.link_id } })).status,
  ).toBe(200);
  expect(
    (await on.call('POST', '/v1/events/click', { token: mine.token, json: { link_id: other.link_id } })).status,
  ).toBe(404);
});

test('without a user the authentic cookie of this host counts, unless the browser asks for privacy', async () => {
  const { link_id } = await link();
  const { token } = await on.user();
  const visitor = on.uuid();
  const ring = parseKeyring(on.env.VISITOR_KEYS, 'VISITOR_KEYS');
  const mine = `hb_v=${await encodeVisitor(ring, visitor, new URL(ORIGIN).host)}`;
  const foreign = `hb_v=${await encodeVisitor(ring, visitor, 'elsewhere.example')}`;
  const visitorWith = async (headers: Record<string, string>) => {
    const answer = await on.call('POST', '/v1/events/click', { token, json: { link_id }, headers });
    return (await referenceIn(answer.json.click_id)).visitorId;
  };
  expect(await visitorWith({ cookie: mine })).toBe(visitor);
  expect(await visitorWith({ cookie: mine, 'sec-gpc': '1' })).toBeNull();
  expect(await visitorWith({ cookie: foreign })).toBeNull();
  expect(await visitorWith({ cookie: 'hb_v=forged' })).toBeNull();
});

test('a link that does not exist is 404, and one that is not followed is refused', async () => {
  const { token } = await on.user();
  const click = async (link_id: unknown) =>
    (await on.call('POST', '/v1/events/click', { token, json: { link_id } })).status;
  expect(await click(on.uuid())).toBe(404);
  expect(await click('x')).toBe(422);
  expect(await click(undefined)).toBe(422);
  expect(await click((await link({ status: 'paused' })).link_id)).toBe(409);
  expect(await click((await link({ expires_at: new Date(on.clock.now()) })).link_id)).toBe(410);
  const resting = await link();
  await on.sql("update campaigns set status = 'paused' where campaign_id = $1", [resting.campaign_id]);
  expect(await click(resting.link_id)).toBe(409);
});

test('a click the queue did not take is no click: 503, to be tried again', async () => {
  const { link_id } = await link();
  const { token } = await on.user();
  const before = on.clicks.length;
  on.failing.queue = 1;
  const answer = await on.call('POST', '/v1/events/click', { token, json: { link_id } });
  expect(answer).toMatchObject({ status: 503, json: { code: 'unavailable' } });
  expect(answer.headers.get('retry-after')).toBe('5');
  expect(on.clicks).toHaveLength(before);
});
