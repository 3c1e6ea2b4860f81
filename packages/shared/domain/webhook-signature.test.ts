import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { seededRandom } from './chance.fake.ts';
import { mintWebhookSecret, webhookHeaders } from './webhook-signature.ts';

test("the specification's own example is signed as it says", async () => {
  const headers = await webhookHeaders(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1_614_265_330,
    body: '{"test": 2432232314}',
  });
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('during a rotation a message carries one signature for each secret, and each is right', async () => {
  const random = seededRandom(7);
  const secrets = [mintWebhookSecret(random), mintWebhookSecret(random)];
  const message = { id: 'id', timestamp: 1, body: '{"name":"दिवाली"}' };
  const { 'webhook-signature': signature } = await webhookHeaders(secrets, message);
  const expected = secrets.map((secret) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    expect(key).toHaveLength(32);
    return `v1,${createHmac('sha256', key).update(`id.1.${message.body}`).digest('base64')}`;
  });
  expect(signature).toBe(expected.join(' '));
  expect(expected[0]).not.toBe(expected[1]);
});

test('the public library for such messages takes each secret of a rotation, and no other body, id or secret', async () => {
  const random = seededRandom(8);
  const secrets = [mintWebhookSecret(random), mintWebhookSecret(random)];
  const body = '{"name":"दिवाली"}';
  const headers = await webhookHeaders(secrets, { id: 'msg', timestamp: Math.floor(Date.now() / 1000), body });
  for (const secret of secrets) expect(new Webhook(secret).verify(body, headers)).toEqual({ name: 'दिवाली' });
  const [secret = ''] = secrets;
  expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
  expect(() => new Webhook(secret).verify(body, { ...headers, 'webhook-id': 'other' })).toThrow();
  expect(() => new Webhook(mintWebhookSecret(random)).verify(body, headers)).toThrow();
});

test.each(['', 'whsec_', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_not base64'])('%j is no secret', async (secret) => {
  await expect(webhookHeaders([secret], { id: 'x', timestamp: 1, body: '' })).rejects.toThrow(RangeError);
});
