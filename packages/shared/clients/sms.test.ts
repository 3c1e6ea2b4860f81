import { afterEach, describe, expect, test, vi } from 'vitest';
import { SMS_TIMEOUT_MS, type Sms, type SmsGateway, sendSms } from './sms.ts';

const message: Sms = { to: '+919876543210', text: 'code 123456', kind: 'otp', templateId: 't1', reference: 'r1' };

function gateway(fetch: SmsGateway['fetch']): SmsGateway {
  return { endpoint: 'https://sms.test/', authKey: 'secret', fetch, sender: 'HISSBK', entityId: 'e1' };
}

const answering = (status: number, body: unknown) =>
  gateway(async () => new Response(typeof body === 'string' ? body : JSON.stringify(body), { status }));

afterEach(() => {
  vi.useRealTimers();
});

test('the message goes to the flow API with its DLT ids, the key in a header only', async () => {
  const calls: { url: string; init: RequestInit }[] = [];
  const result = await sendSms(
    gateway(async (url, init) => {
      calls.push({ url, init });
      return Response.json({ type: 'success', message: 'id-1' });
    }),
    message,
  );
  expect(result).toEqual({ ok: true, id: 'id-1' });
  expect(calls).toHaveLength(1);
  const [call] = calls;
  expect(call?.url).toBe('https://sms.test/api/v5/flow');
  expect(call?.init).toMatchObject({ method: 'POST', redirect: 'manual', headers: { authkey: 'secret' } });
  expect(JSON.parse(String(call?.init.body))).toEqual({
    template_id: 't1',
    sender: 'HISSBK',
    entity_id: 'e1',
    mobile: '919876543210',
    kind: 'otp',
    text: 'code 123456',
    reference: 'r1',
    CRQID: 'r1',
  });
});

describe('an answer', () => {
  test.each([
    [
      200,
      { type: 'error', message: 'no balance for 919876543210' },
      { retryable: false, notSent: true, reason: 'refused' },
    ],
    [400, { type: 'error', message: 'x' }, { retryable: false, notSent: true, reason: 'refused' }],
    [302, '', { retryable: false, notSent: true, reason: 'refused' }],
    [401, '', { retryable: false, notSent: true, reason: 'unauthorized' }],
    [429, '', { retryable: true, notSent: true, reason: 'busy' }],
    [500, 'oops', { retryable: true, notSent: false, reason: 'gateway_error' }],
    [200, 'not json', { retryable: true, notSent: false, reason: 'bad_reply' }],
    [200, { type: 'maybe' }, { retryable: true, notSent: false, reason: 'bad_reply' }],
    [200, 'null', { retryable: true, notSent: false, reason: 'bad_reply' }],
  ])('%d %o says whether it was sent, and nothing of phone or text', async (status, body, expected) => {
    const result = await sendSms(answering(status, body), message);
    expect(result).toEqual({ ok: false, ...expected });
  });

  test('that does not come within six seconds is a timeout: nobody knows', async () => {
    vi.useFakeTimers();
    const silent = gateway(
      (_, init) =>
        new Promise((_resolve, reject) => {
          init.signal?.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    );
    const result = sendSms(silent, message);
    await vi.advanceTimersByTimeAsync(SMS_TIMEOUT_MS);
    expect(await result).toEqual({ ok: false, retryable: true, notSent: false, reason: 'timeout' });
  });

  test('that cannot be had is unreachable, without the error in it', async () => {
    const broken = gateway(() => Promise.reject(new Error('connect +919876543210')));
    expect(await sendSms(broken, message)).toEqual({
      ok: false,
      retryable: true,
      notSent: false,
      reason: 'unreachable',
    });
  });
});

test('without gateway or template nothing is sent', async () => {
  const never = gateway(() => Promise.reject(new Error('called')));
  expect(await sendSms({ ...never, endpoint: '' }, message)).toMatchObject({ notSent: true, reason: 'not_configured' });
  expect(await sendSms(never, { ...message, templateId: '' })).toMatchObject({
    notSent: true,
    reason: 'not_configured',
  });
});
