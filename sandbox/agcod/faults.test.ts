import { expect, test } from 'vitest';
import { get, post } from '../kit/testing.ts';
import { create, PARTNER, startForTest } from './testing.ts';

async function withFault(fault: Record<string, unknown>) {
  const { url } = await startForTest();
  expect((await post(`${url}/__control/faults`, fault)).status).toBe(200);
  return url;
}
const total = async (url: string) => (await get(`${url}/__control/cards`)).body.total;

test('drop-after makes the card and loses the answer; the same id finds it', async () => {
  const url = await withFault({ kind: 'drop-after' });
  await expect(create(url, 'A1')).rejects.toThrow();
  expect(await total(url)).toBe(1);
  expect((await create(url, 'A1')).body.status).toBe('SUCCESS');
  expect(await total(url)).toBe(1);
});

test('drop-before makes no card', async () => {
  const url = await withFault({ kind: 'drop-before' });
  await expect(create(url, 'A1')).rejects.toThrow();
  expect(await total(url)).toBe(0);
});

test('a delayed answer belongs to a card that exists meanwhile', async () => {
  const url = await withFault({ kind: 'delay', ms: 60_000 });
  const late = create(url, 'A1').catch(() => 'closed');
  await expect.poll(() => total(url)).toBe(1);
  expect((await create(url, 'A1')).body.status).toBe('SUCCESS');
  expect(late).toBeInstanceOf(Promise);
});

test('RESEND strikes as often as asked, then the same id succeeds', async () => {
  const url = await withFault({ kind: 'resend', times: 3 });
  for (let index = 0; index < 3; index++) {
    const { status, body } = await create(url, 'A1');
    expect(status).toBe(400);
    expect(body).toMatchObject({ errorCode: 'F400', agcodResponse: { status: 'RESEND' } });
  }
  expect((await create(url, 'A1')).body.status).toBe('SUCCESS');
});

test('a failing answer may hide a card', async () => {
  const url = await withFault({ kind: 'error', errorCode: 'F500', creates: true });
  const { status, body } = await create(url, 'A1');
  expect(status).toBe(500);
  expect(Object.keys(body)).toEqual(['agcodResponse', 'errorCode', 'errorType', 'message']);
  expect(await total(url)).toBe(1);
});

test('throttle, http-500 and garbage answer what no client should read as success or refusal', async () => {
  const { url } = await startForTest();
  for (const kind of ['throttle', 'http-500', 'garbage']) await post(`${url}/__control/faults`, { kind });
  expect((await create(url, 'A1')).body.message).toBe('Rate exceeded');
  expect(await create(url, 'A1')).toMatchObject({ status: 500, body: undefined });
  expect(await create(url, 'A1')).toMatchObject({ status: 200, body: undefined });
  expect(await total(url)).toBe(0);
});

test('refunded answers SUCCESS for a card that is taken back, now and later', async () => {
  const url = await withFault({ kind: 'refunded', times: 2 });
  for (let index = 0; index < 3; index++) {
    const { body } = await create(url, 'A1');
    expect(body).toMatchObject({ status: 'SUCCESS', cardInfo: { cardStatus: 'RefundedToPurchaser' } });
  }
  expect((await get(`${url}/__control/cards`)).body.funds).toBe('10000000.00');
});

test('a fault waits for its operation and its id', async () => {
  const url = await withFault({ kind: 'resend', op: 'CreateGiftCard', creationRequestId: `${PARTNER}A2` });
  expect((await create(url, 'A1')).body.status).toBe('SUCCESS');
  expect((await create(url, 'A2')).body.errorCode).toBe('F400');
  expect((await get(`${url}/__control/faults`)).body.faults).toEqual([]);
});

test('every call is listed with its outcome', async () => {
  const url = await withFault({ kind: 'drop-after' });
  await expect(create(url, 'A1', 250)).rejects.toThrow();
  await create(url, 'A1', 250);
  await create(url, 'A1', 251);
  const { calls } = (await get(`${url}/__control/calls`)).body;
  expect(calls.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
    'dropped',
    'SUCCESS',
    'F200 RequestedDenominationMismatch',
  ]);
  expect(calls[0]).toMatchObject({ op: 'CreateGiftCard', creationRequestId: `${PARTNER}A1`, amount: '250' });
});

test('reset forgets cards, faults and calls', async () => {
  const url = await withFault({ kind: 'resend', creationRequestId: 'none' });
  await create(url, 'A1');
  await post(`${url}/__control/reset`, {});
  expect(await total(url)).toBe(0);
  expect((await get(`${url}/__control/faults`)).body.faults).toEqual([]);
  expect((await get(`${url}/__control/calls`)).body.calls).toEqual([]);
});

test('a fault that makes no sense is refused', async () => {
  const { url } = await startForTest();
  expect((await post(`${url}/__control/faults`, { kind: 'nonsense' })).status).toBe(400);
});
