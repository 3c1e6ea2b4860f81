import { expect, test } from 'vitest';
import { post } from '../kit/testing.ts';
import { CREDENTIALS, call, creation, PARTNER, startForTest } from './testing.ts';

const MISMATCH = /The request signature we calculated does not match/;
const stamp = (at: number) => `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;

test('a request signed by aws4fetch is accepted', async () => {
  const { url } = await startForTest();
  expect((await call(url, 'CreateGiftCard', creation('A1'))).body.status).toBe('SUCCESS');
});

test('a wrong secret, region, service or tampered body is refused under F200 with the status nested', async () => {
  const { url } = await startForTest();
  const secret = { ...CREDENTIALS, secretAccessKey: 'other' };
  const wrong = [{ credentials: secret }, { region: 'us-east-1' }, { service: 's3' }, { tampered: '{"x":1}' }];
  for (const signing of wrong) {
    const { status, body } = await call(url, 'CreateGiftCard', creation('A1'), signing);
    expect(status).toBe(400);
    expect(body).toMatchObject({ errorCode: 'F200', errorType: 'InvalidSignatureException' });
    expect(body.agcodResponse.status).toBe('FAILURE');
    expect(body.status).toBeUndefined();
  }
  const { body } = await call(url, 'CreateGiftCard', creation('A1'), { credentials: secret });
  expect(body.message).toMatch(MISMATCH);
});

test('an unknown access key is an account problem, and no signature at all is F200', async () => {
  const { url } = await startForTest();
  const credentials = { ...CREDENTIALS, accessKeyId: 'AKIAOTHER' };
  const unknown = await call(url, 'CreateGiftCard', creation('A1'), { credentials });
  expect(unknown.body).toMatchObject({ errorCode: 'F300', errorType: 'InvalidAwsAccessKeyId' });
  const target = { 'x-amz-target': 'com.amazonaws.agcod.AGCODService.CreateGiftCard' };
  const unsigned = await post(`${url}/CreateGiftCard`, creation('A1'), target);
  expect(unsigned.body).toMatchObject({ errorCode: 'F200', errorType: 'MissingAuthenticationTokenException' });
});

test('a signer whose clock is more than five minutes off is refused, either way', async () => {
  const now = Date.parse('2026-11-01T10:00:00Z');
  const { url } = await startForTest({ clock: { now: () => now } });
  const at = async (ms: number) =>
    (await call(url, 'GetAvailableFunds', { partnerId: PARTNER }, { datetime: stamp(now + ms) })).body;
  expect((await at(-299_000)).status).toBe('SUCCESS');
  expect((await at(299_000)).status).toBe('SUCCESS');
  expect(await at(-301_000)).toMatchObject({ errorCode: 'F200', message: expect.stringMatching(/^Signature expired/) });
  expect(await at(301_000)).toMatchObject({ errorCode: 'F200', message: expect.stringMatching(/not yet current/) });
});

test('every x-amz header must be signed', async () => {
  const { url } = await startForTest();
  const smuggled = await fetchWithExtraHeader(url);
  expect(smuggled).toMatchObject({ errorCode: 'F200', message: "'x-amz-extra' must be a signed header." });
});

test('an x-amz-target of another operation is an unknown operation', async () => {
  const { url } = await startForTest();
  const target = 'com.amazonaws.agcod.AGCODService.CancelGiftCard';
  const { status, body } = await call(url, 'CreateGiftCard', creation('A1'), { target });
  expect(status).toBe(404);
  expect(body.__type).toMatch(/UnknownOperationException$/);
});

test('rotated credentials hold at once', async () => {
  const { url } = await startForTest();
  const next = { accessKeyId: 'AKIANEXT', secretAccessKey: 'next' };
  await post(`${url}/__control/credentials`, next);
  expect((await call(url, 'CreateGiftCard', creation('A1'))).body.errorCode).toBe('F300');
  expect((await call(url, 'CreateGiftCard', creation('A1'), { credentials: next })).body.status).toBe('SUCCESS');
});

async function fetchWithExtraHeader(url: string) {
  const { AwsV4Signer } = await import('aws4fetch');
  const body = JSON.stringify(creation('A1'));
  const signed = await new AwsV4Signer({
    method: 'POST',
    url: `${url}/CreateGiftCard`,
    headers: { 'x-amz-target': 'com.amazonaws.agcod.AGCODService.CreateGiftCard' },
    body,
    service: 'AGCODService',
    region: 'eu-west-1',
    ...CREDENTIALS,
  }).sign();
  signed.headers.set('x-amz-extra', '1');
  return (await fetch(signed.url, { method: 'POST', headers: signed.headers, body })).json();
}
