import { expect, onTestFinished, test, vi } from 'vitest';
import { serve } from '../kit/http.ts';
import { get, post, temporaryDirectory } from '../kit/testing.ts';
import { type SmsOptions, startSms } from './server.ts';

const AUTH = { authkey: 'sms-key' };
const MESSAGE = {
  template_id: 't1',
  sender: 'HISSBK',
  mobile: '919812345678',
  kind: 'otp',
  text: '123456 is your code',
};

async function startForTest(options: Partial<SmsOptions> = {}) {
  const server = await startSms({ dir: temporaryDirectory(), authKey: 'sms-key', ...options });
  onTestFinished(() => server.close());
  return server;
}

test.each(['%2B919812345678', '+919812345678', '919812345678'])(
  'a sent message is found under to=%s, oldest first',
  async (to) => {
    const { url } = await startForTest();
    const sent = await post(`${url}/api/v5/otp`, MESSAGE, AUTH);
    expect(sent).toMatchObject({ status: 200, body: { type: 'success', message: expect.any(String) } });
    await post(`${url}/api/v5/flow`, { ...MESSAGE, mobile: '+919812345678', kind: 'voucher', text: 'second' }, AUTH);
    await post(`${url}/api/v5/flow`, { ...MESSAGE, mobile: '919800000000' }, AUTH);
    const { body } = await get(`${url}/messages?to=${to}`);
    const at = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(body).toEqual([
      { to: '+919812345678', text: '123456 is your code', kind: 'otp', at },
      { to: '+919812345678', text: 'second', kind: 'voucher', at },
    ]);
  },
);

test('a wrong key, template, number or text is refused with type error', async () => {
  const { url } = await startForTest();
  const wrong = await post(`${url}/api/v5/flow`, MESSAGE, { authkey: 'other' });
  expect(wrong).toMatchObject({ status: 401, body: { type: 'error' } });
  for (const part of [{ template_id: '' }, { mobile: '12' }, { mobile: 'call me' }, { text: '' }]) {
    const { status, body } = await post(`${url}/api/v5/flow`, { ...MESSAGE, ...part }, AUTH);
    expect(status).toBe(400);
    expect(body).toEqual({ type: 'error', message: expect.any(String) });
  }
  expect((await get(`${url}/messages`)).body).toEqual([]);
});

test('a reference is kept but does not prevent a second message', async () => {
  const { url } = await startForTest();
  for (let index = 0; index < 2; index++) await post(`${url}/api/v5/flow`, { ...MESSAGE, reference: 'payout-1' }, AUTH);
  const { body } = await get(`${url}/__control/messages`);
  expect(body.map(({ reference }: { reference: string }) => reference)).toEqual(['payout-1', 'payout-1']);
});

test('faults: what was dropped after acceptance arrived, what was dropped before did not', async () => {
  const { url } = await startForTest();
  const fault = (kind: string, more = {}) => post(`${url}/__control/faults`, { kind, ...more });
  const send = () => post(`${url}/api/v5/flow`, MESSAGE, AUTH);
  const arrived = async () => (await get(`${url}/messages`)).body.length;
  await fault('drop-before');
  await expect(send()).rejects.toThrow();
  expect(await arrived()).toBe(0);
  await fault('error', { to: '919812345678' });
  expect(await send()).toEqual({ status: 200, body: { type: 'error', message: expect.any(String) } });
  expect(await arrived()).toBe(0);
  await fault('http-500', { to: '+910000000001' });
  expect((await send()).body.type).toBe('success');
  await fault('drop-after');
  expect(
    (await post(`${url}/api/v5/flow`, { ...MESSAGE, mobile: '910000000001' }, AUTH).catch(() => ({ status: 0 })))
      .status,
  ).toBe(0);
  expect(await arrived()).toBe(1);
  await expect(send()).rejects.toThrow();
  expect(await arrived()).toBe(2);
});

test('reports go out together in MSG91’s form, again after a refusal, and say what became of each message', async () => {
  const posts: { token: string | null; reports: unknown[] }[] = [];
  let failures = 1;
  const platform = await serve('platform', {
    'POST /v1/events/sms': ({ url, body }) => {
      if (failures-- > 0) return { status: 503, body: '' };
      const data = JSON.parse(new URLSearchParams(body.toString()).get('data') ?? '');
      posts.push({ token: url.searchParams.get('token'), reports: data });
      return { status: 200, body: '{}' };
    },
  });
  onTestFinished(() => platform.close());
  const { url } = await startForTest({
    reports: { url: `${platform.url}/v1/events/sms`, token: 'secret', delayMs: 20 },
  });
  const send = (reference: string) => post(`${url}/api/v5/flow`, { ...MESSAGE, reference }, AUTH);
  await post(`${url}/__control/faults`, { kind: 'undelivered' });
  await post(`${url}/__control/faults`, { kind: 'unreported' });
  const first = await send('m-1');
  await send('m-2');
  await send('m-3');
  await vi.waitFor(() => expect(posts).toHaveLength(1), { timeout: 15_000 });
  const report = (CRQID: string, status: string, desc: string) => ({
    report: [expect.objectContaining({ CRQID, status, desc, number: '919812345678' })],
  });
  expect(posts).toMatchObject([
    {
      token: 'secret',
      reports: [{ ...report('m-1', '2', 'FAILED'), requestId: first.body.message }, report('m-3', '1', 'DELIVERED')],
    },
  ]);
  const late = { reference: 'm-2', status: '16', desc: 'REJECTED' };
  expect((await post(`${url}/__control/reports`, late)).status).toBe(200);
  await vi.waitFor(() => expect(posts).toHaveLength(2), { timeout: 15_000 });
  expect(posts[1]?.reports).toMatchObject([report('m-2', '16', 'REJECTED')]);
  expect((await post(`${url}/__control/reports`, { ...late, reference: 'none' })).status).toBe(404);
});

test('messages are there after a restart', async () => {
  const dir = temporaryDirectory();
  const first = await startSms({ dir, authKey: 'sms-key' });
  await post(`${first.url}/api/v5/flow`, MESSAGE, AUTH);
  await first.close();
  const { url } = await startForTest({ dir });
  expect((await get(`${url}/messages?to=+919812345678`)).body).toHaveLength(1);
});

test('the inbox shows messages as text', async () => {
  const { url } = await startForTest();
  await post(`${url}/api/v5/flow`, { ...MESSAGE, text: '<img src=x onerror=alert(1)>' }, AUTH);
  const page = await (await fetch(url)).text();
  expect(page).toContain('&lt;img src=x');
  expect(page).not.toContain('<img');
});
