import { afterAll, beforeAll, expect, test } from 'vitest';
import { bindings, call, cronToken, freshPhone, messagesTo, openStage, type Stage, until } from './support/stage.ts';

let on: Stage;
beforeAll(async () => {
  on = await openStage();
});
afterAll(() => on.close());

const subjectOf = (jwt: string): string =>
  JSON.parse(atob((jwt.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/'))).sub;

async function logIn(): Promise<{ token: string; user_id: string }> {
  const phone = freshPhone();
  const { json: asked } = await call('POST', '/v1/auth/otp/request', { json: { phone } });
  const code = /\b\d{6}\b/.exec((await messagesTo(phone))[0]?.text ?? '')?.[0];
  const verified = await call('POST', '/v1/auth/otp/verify', { json: { request_id: asked.request_id, code } });
  expect(verified.status).toBe(200);
  return { token: verified.json.jwt, user_id: subjectOf(verified.json.jwt) };
}

test('somebody logs in by the code that an object holds, and a new link is in KV when it is answered', async () => {
  const { token } = await logIn();
  const { json: founded } = await call('POST', '/v1/tenants', { token, json: { name: 'Workerd' } });
  const { tenant_id } = founded;
  await on.rows('update tenants set trackier_pid = $2 where tenant_id = $1', [tenant_id, tenant_id]);
  const { json: own } = await call('POST', '/v1/auth/switch', { token, json: { tenant_id } });
  const campaign = { tenant_id, name: 'C', share_pct: '50.00' };
  const { json: made } = await call('POST', '/v1/campaigns', { token: own.jwt, json: campaign });
  const link = { campaign_id: made.campaign_id, offer_id: on.offerId };
  const { status, json } = await call('POST', '/v1/links', { token: own.jwt, json: link });
  expect(status).toBe(200);
  const slug = new URL(json.smart_link).pathname.slice(1);
  expect(JSON.parse((await bindings.LINKS.get(`_/${slug}`)) ?? '{}')).toMatchObject({ id: json.link_id, t: tenant_id });
});

test('a click made through the API goes through the queue into the database, once', async () => {
  const { token, user_id } = await logIn();
  const answer = await call('POST', '/v1/events/click', { token, json: { link_id: on.linkId, user_id } });
  expect(answer.json.click_id).toMatch(/^[\w-]{76}$/);
  const clicks = await until('the click', async () => {
    const found = await on.rows<{ source: string }>('select source from clicks where link_id = $1', [on.linkId]);
    return found.length > 0 ? found : undefined;
  });
  expect(clicks).toEqual([{ source: 'api' }]);
});

test('wrong codes are counted by the object: the sixth is refused even if it is right', async () => {
  const phone = freshPhone();
  const { json: asked } = await call('POST', '/v1/auth/otp/request', { json: { phone } });
  const code = /\b\d{6}\b/.exec((await messagesTo(phone))[0]?.text ?? '')?.[0] ?? '';
  const verify = (given: string) =>
    call('POST', '/v1/auth/otp/verify', { json: { request_id: asked.request_id, code: given } });
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
  for (let check = 1; check <= 5; check++) expect((await verify(wrong)).status).toBe(400);
  expect((await verify(code)).status).toBe(400);
});

test('the payout endpoint reaches the payout worker through its service binding, for a cron only', async () => {
  const path = '/v1/rewards/payout/run';
  expect((await call('POST', path)).status).toBe(401);
  const answer = await call('POST', path, { token: await cronToken() });
  expect([answer.status, answer.json]).toEqual([200, { paid_count: expect.any(Number) }]);
});
