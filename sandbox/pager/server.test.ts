import { expect, onTestFinished, test } from 'vitest';
import { get, post, temporaryDirectory } from '../kit/testing.ts';
import { type PagerOptions, startPager } from './server.ts';

const ROUTING_KEY = 'r'.repeat(32);
const TRIGGER = {
  routing_key: ROUTING_KEY,
  event_action: 'trigger',
  dedup_key: 'dead-letters',
  payload: { summary: 'over 1000 dead letters', source: 'webhook', severity: 'critical' },
};

async function startForTest(options: Partial<PagerOptions> = {}) {
  const server = await startPager({ dir: temporaryDirectory(), ...options });
  onTestFinished(() => server.close());
  return server;
}

test('an event is processed and answered with its dedup_key, or with a new one', async () => {
  const { url } = await startForTest();
  const kept = await post(`${url}/v2/enqueue`, TRIGGER);
  expect(kept).toEqual({
    status: 202,
    body: { status: 'success', message: 'Event processed', dedup_key: 'dead-letters' },
  });
  const { dedup_key: _, ...anonymous } = TRIGGER;
  expect((await post(`${url}/v2/enqueue`, anonymous)).body.dedup_key).toMatch(/^[0-9a-f]{32}$/);
});

test.each([
  [{ routing_key: 'short' }],
  [{ event_action: 'shout' }],
  [{ payload: undefined }],
  [{ payload: { ...TRIGGER.payload, severity: 'bad' } }],
  [{ payload: { ...TRIGGER.payload, summary: '' } }],
  [{ dedup_key: 'x'.repeat(256) }],
  [{ event_action: 'resolve', dedup_key: undefined }],
])('an event with %o is invalid', async (part) => {
  const { url } = await startForTest();
  const { status, body } = await post(`${url}/v2/enqueue`, { ...TRIGGER, ...part });
  expect(status).toBe(400);
  expect(body).toMatchObject({ status: 'invalid event', message: 'Event object is invalid' });
  expect(body.errors.length).toBeGreaterThan(0);
  expect((await get(`${url}/__control/events`)).body.events).toEqual([]);
});

test('another routing key than the service has is refused', async () => {
  const { url } = await startForTest({ routingKey: 's'.repeat(32) });
  expect((await post(`${url}/v2/enqueue`, TRIGGER)).body.errors).toEqual(['Invalid routing key']);
});

test('events of one dedup_key are one incident, and a trigger after its resolution opens it anew', async () => {
  const { url } = await startForTest();
  const send = (event_action: string) => post(`${url}/v2/enqueue`, { ...TRIGGER, event_action });
  const incident = async () => (await get(`${url}/__control/incidents`)).body.incidents;
  await send('trigger');
  await send('trigger');
  expect(await incident()).toMatchObject([{ dedup_key: 'dead-letters', status: 'triggered', triggers: 2, opened: 1 }]);
  await send('acknowledge');
  expect(await incident()).toMatchObject([{ status: 'acknowledged' }]);
  await send('resolve');
  await send('trigger');
  expect(await incident()).toMatchObject([{ status: 'triggered', triggers: 3, opened: 2 }]);
});

test('a throttled or dropped event is not processed, one dropped afterwards is', async () => {
  const { url } = await startForTest();
  for (const kind of ['throttle', 'drop-before', 'drop-after']) await post(`${url}/__control/faults`, { kind });
  expect((await post(`${url}/v2/enqueue`, TRIGGER)).status).toBe(429);
  await expect(post(`${url}/v2/enqueue`, TRIGGER)).rejects.toThrow();
  expect((await get(`${url}/__control/events`)).body.events).toHaveLength(0);
  await expect(post(`${url}/v2/enqueue`, TRIGGER)).rejects.toThrow();
  expect((await get(`${url}/__control/events`)).body.events).toHaveLength(1);
});
