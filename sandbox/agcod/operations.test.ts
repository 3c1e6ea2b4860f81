import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { get, post, temporaryDirectory } from '../kit/testing.ts';
import { startAgcod } from './server.ts';
import { CREDENTIALS, call, create, creation, PARTNER, startForTest } from './testing.ts';

const vector = (name: string) => JSON.parse(readFileSync(new URL(`vectors/${name}.json`, import.meta.url), 'utf8'));
const RESPONSES = vector('responses');
const shapeOf = (value: unknown): unknown =>
  value !== null && typeof value === 'object'
    ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]))
    : value === null
      ? 'null'
      : typeof value;

test('success answers have the shape of the recorded ones', async () => {
  const { url } = await startForTest();
  const created = (await create(url, 'A1')).body;
  expect(shapeOf(created)).toEqual(shapeOf(RESPONSES['CreateGiftCard.success']));
  expect(created.gcClaimCode).toMatch(/^[A-Z2-9]{4}-[A-Z2-9]{6}-[A-Z2-9]{4}$/);
  expect(created.gcExpirationDate).toMatch(/^[A-Z][a-z]{2} [A-Z][a-z]{2} \d{2} \d{2}:\d{2}:\d{2} UTC \d{4}$/);
  const funds = (await call(url, 'GetAvailableFunds', { partnerId: PARTNER })).body;
  expect(shapeOf(funds)).toEqual(shapeOf(RESPONSES['GetAvailableFunds.success']));
  const cancelled = (await call(url, 'CancelGiftCard', { ...creation('A1'), gcId: created.gcId })).body;
  expect(cancelled).toEqual({ creationRequestId: `${PARTNER}A1`, gcId: created.gcId, status: 'SUCCESS' });
});

test.each(Object.keys(vector('mock_creation_request_ids')).filter((id) => id !== 'note'))(
  'mock id %s answers what Amazon answers to it, and makes no card',
  async (id) => {
    const { url } = await startForTest();
    const input = { creationRequestId: id, partnerId: PARTNER, value: { currencyCode: 'JPY', amount: 500 } };
    const { body } = await call(url, 'CreateGiftCard', input);
    const [status, expected] = vector('mock_creation_request_ids')[id];
    if (RESPONSES[`mock.${id}`] !== undefined) expect(body).toEqual(RESPONSES[`mock.${id}`]);
    expect(body.status ?? body.agcodResponse.status).toBe(status);
    if (expected !== null) expect(`${body.errorCode} ${body.errorType}`).toContain(expected);
    expect((await get(`${url}/__control/cards`)).body.total).toBe(0);
  },
);

test('mock ids answer a cancel in the shape of a cancel', async () => {
  const { url } = await startForTest();
  const cancel = async (creationRequestId: string) =>
    (await call(url, 'CancelGiftCard', { creationRequestId, partnerId: PARTNER, gcId: 'x' })).body;
  expect(await cancel('F0000')).toEqual({ creationRequestId: 'F0000', gcId: 'ABC123ZYX987', status: 'SUCCESS' });
  expect((await cancel('F2047')).agcodResponse).toEqual({
    __type: 'CancelGiftCardResponse:http://internal.amazon.com/coral/com.amazonaws.agcod/',
    creationRequestId: null,
    gcId: null,
    status: 'FAILURE',
  });
});

test('the same id, amount and currency is the same card, however often and at once', async () => {
  const { url } = await startForTest();
  const answers = await Promise.all(Array.from({ length: 20 }, () => create(url, 'A1', 500)));
  expect(new Set(answers.map(({ body }) => `${body.gcId} ${body.gcClaimCode}`)).size).toBe(1);
  expect((await get(`${url}/__control/cards`)).body).toMatchObject({ total: 1, funds: '9999500.00' });
});

test('the same id with another amount is refused under F200', async () => {
  const { url } = await startForTest();
  await create(url, 'A1', 500);
  const { status, body } = await create(url, 'A1', 501);
  expect(status).toBe(400);
  expect(body).toMatchObject({ errorCode: 'F200', errorType: 'RequestedDenominationMismatch' });
});

test.each([
  ['a null amount', null, 'INR', 'InvalidAmountInput', 'mock.F2003'],
  ['nothing', 0, 'INR', 'InvalidAmountValue', 'mock.F2004'],
  ['a negative amount', -5, 'INR', 'InvalidAmountValue', 'mock.F2004'],
  ['no currency', 5, '', 'InvalidCurrencyCodeInput', 'mock.F2005'],
  ['more than the maximum', 10_000.01, 'INR', 'MaxAmountExceeded', 'mock.F2015'],
  ['another currency', 5, 'USD', 'CurrencyCodeMismatch', 'mock.F2016'],
  ['a fraction', 5.5, 'INR', 'FractionalAmountNotAllowed', 'mock.F2017'],
])('%s is refused with the recorded error', async (_, amount, currency, errorType, sample) => {
  const { url } = await startForTest();
  const { body } = await create(url, 'A1', amount, currency);
  expect(body.errorType).toBe(errorType);
  expect(body).toEqual(RESPONSES[sample]);
});

test('the maximum itself is allowed, and fractions to the hundredth when the account allows them', async () => {
  const { url } = await startForTest({ fractions: true });
  expect((await create(url, 'A1', 10_000)).body.status).toBe('SUCCESS');
  expect((await create(url, 'A2', 0.29)).body.cardInfo.value.amount).toBe(0.29);
  expect((await create(url, 'A3', 0.291)).body.errorType).toBe('FractionalAmountNotAllowed');
});

test('an amount sent as text is not the input of the operation', async () => {
  const { url } = await startForTest();
  expect((await create(url, 'A1', '500.00')).body.__type).toMatch(/SerializationException$/);
});

test.each([
  [`${PARTNER}${'A'.repeat(36)}`, 'RequestIdTooLong'],
  [`${PARTNER}_1`, 'InvalidRequestIdInput'],
  ['', 'InvalidRequestIdInput'],
  ['Other1', 'RequestIdMustStartWithPartnerName'],
])('creationRequestId %j is refused: %s', async (creationRequestId, errorType) => {
  const { url } = await startForTest();
  const { body } = await call(url, 'CreateGiftCard', { ...creation('A1'), creationRequestId });
  expect(body).toMatchObject({ errorCode: 'F200', errorType });
});

test('a creationRequestId of forty characters is allowed', async () => {
  const { url } = await startForTest();
  expect((await create(url, 'A'.repeat(40 - PARTNER.length))).body.status).toBe('SUCCESS');
});

test('another partner is F300', async () => {
  const { url } = await startForTest();
  const { body } = await call(url, 'CreateGiftCard', { ...creation('A1'), partnerId: 'Other' });
  expect(body).toMatchObject({ errorCode: 'F300', errorType: 'AccessDenied' });
});

test('creating again after a cancel answers SUCCESS with RefundedToPurchaser and gives the money back once', async () => {
  const { url } = await startForTest({ funds: '1000.00' });
  const { gcId, gcClaimCode } = (await create(url, 'A1', 400)).body;
  await call(url, 'CancelGiftCard', { ...creation('A1'), gcId });
  await call(url, 'CancelGiftCard', { ...creation('A1'), gcId });
  const again = (await create(url, 'A1', 400)).body;
  expect(again).toMatchObject({ status: 'SUCCESS', gcId, gcClaimCode });
  expect(again.cardInfo.cardStatus).toBe('RefundedToPurchaser');
  expect((await get(`${url}/__control/cards`)).body.funds).toBe('1000.00');
});

test('a card is cancelled within fifteen minutes or not at all', async () => {
  const { url } = await startForTest();
  const first = (await create(url, 'A1')).body;
  const second = (await create(url, 'A2')).body;
  await post(`${url}/__control/clock`, { offset_ms: 14 * 60_000, scope: 'cards' });
  expect((await call(url, 'CancelGiftCard', { ...creation('A1'), gcId: first.gcId })).body.status).toBe('SUCCESS');
  await post(`${url}/__control/clock`, { offset_ms: 15 * 60_000 + 5000, scope: 'cards' });
  const late = (await call(url, 'CancelGiftCard', { ...creation('A2'), gcId: second.gcId })).body;
  expect(late).toMatchObject({ errorCode: 'F200', errorType: 'CancelRequestArrivedAfterTimeLimit' });
});

test('a card beyond the funds is F300, and the same id succeeds once there is money', async () => {
  const { url } = await startForTest({ funds: '400.00' });
  expect((await create(url, 'A1', 401)).body).toEqual(RESPONSES['mock.F3003']);
  await post(`${url}/__control/funds`, { amount: '401.00' });
  expect((await create(url, 'A1', 401)).body.status).toBe('SUCCESS');
});

test('the eleventh call within a second is throttled, in the framework shape', async () => {
  let now = Date.now();
  const { url } = await startForTest({ callsPerSecond: 10, fundsCallsPerSecond: 1, clock: { now: () => now } });
  for (let index = 0; index < 10; index++) expect((await create(url, `A${index}`)).status).toBe(200);
  const { status, body } = await create(url, 'B1');
  expect(status).toBe(400);
  expect(body).toEqual({ __type: 'com.amazon.coral.availability#ThrottlingException', message: 'Rate exceeded' });
  now += 1000;
  const funds = () => call(url, 'GetAvailableFunds', { partnerId: PARTNER });
  expect((await funds()).body.status).toBe('SUCCESS');
  expect((await funds()).body.message).toBe('Rate exceeded');
  expect((await create(url, 'B1')).body.status).toBe('SUCCESS');
});

test('cards, cancellations and funds are there after a restart, and so is the idempotency', async () => {
  const options = { dir: temporaryDirectory(), credentials: CREDENTIALS, partnerId: PARTNER, callsPerSecond: 0 };
  const first = await startAgcod(options);
  const kept = (await create(first.url, 'A1', 100)).body;
  const cancelled = (await create(first.url, 'A2', 200)).body;
  await call(first.url, 'CancelGiftCard', { ...creation('A2'), gcId: cancelled.gcId });
  const before = (await get(`${first.url}/__control/cards`)).body;
  await first.close();
  const { url } = await startForTest(options);
  expect((await get(`${url}/__control/cards`)).body).toEqual(before);
  expect((await create(url, 'A1', 100)).body).toEqual(kept);
  expect((await create(url, 'A2', 200)).body.cardInfo.cardStatus).toBe('RefundedToPurchaser');
});
