import { AwsV4Signer } from 'aws4fetch';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from '../kit/testing.ts';
import { type AgcodOptions, startAgcod } from './server.ts';

export const CREDENTIALS = { accessKeyId: 'AKIASANDBOX', secretAccessKey: 'sandbox-secret' };
export const REGION = 'eu-west-1';
export const PARTNER = 'Hissa';

/** A stand-in without rate limits, stopped when the test is over. */
export async function startForTest(options: Partial<AgcodOptions> = {}) {
  const dir = temporaryDirectory();
  const unlimited = { callsPerSecond: 0, fundsCallsPerSecond: 0 };
  const server = await startAgcod({ dir, credentials: CREDENTIALS, partnerId: PARTNER, ...unlimited, ...options });
  onTestFinished(() => server.close());
  return server;
}

export type Signing = {
  credentials?: { accessKeyId: string; secretAccessKey: string };
  region?: string;
  service?: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  datetime?: string;
  target?: string;
  /** Sent instead of the body that was signed. */
  tampered?: string;
};

/** Calls an operation as Amazon's clients do, signed by aws4fetch. */
export async function call(url: string, operation: string, input: unknown, signing: Signing = {}) {
  const body = JSON.stringify(input);
  const signer = new AwsV4Signer({
    method: 'POST',
    url: `${url}/${operation}`,
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'x-amz-target': signing.target ?? `com.amazonaws.agcod.AGCODService.${operation}`,
    },
    body,
    service: signing.service ?? 'AGCODService',
    region: signing.region ?? REGION,
    allHeaders: true,
    ...(signing.credentials ?? CREDENTIALS),
    ...(signing.datetime === undefined ? {} : { datetime: signing.datetime }),
  });
  const signed = await signer.sign();
  const response = await fetch(signed.url, {
    method: 'POST',
    headers: signed.headers,
    body: signing.tampered ?? body,
  });
  const text = await response.text();
  return {
    status: response.status,
    text,
    body: response.headers.get('content-type')?.includes('json') ? parse(text) : undefined,
  };
}

function parse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function creation(id: string, amount: unknown = 500, currencyCode: unknown = 'INR') {
  return { creationRequestId: `${PARTNER}${id}`, partnerId: PARTNER, value: { currencyCode, amount } };
}

export const create = (url: string, id: string, amount?: unknown, currency?: unknown) =>
  call(url, 'CreateGiftCard', creation(id, amount, currency));
