import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AGCOD_ERRORS, type AgcodError, signatureError } from './errors.ts';

export type Credentials = { accessKeyId: string; secretAccessKey: string };
export type SignedRequest = { method: string; url: URL; headers: IncomingHttpHeaders; body: Buffer };

const SERVICE = 'AGCODService';
const MAX_SKEW_MS = 5 * 60 * 1000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request,\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})$/;

/**
 * Verifies AWS Signature Version 4 for service AGCODService in `region`, at `now` (ms epoch); answers what Amazon would
 * refuse the request with, or `undefined` when it is properly signed.
 */
export function checkSignature(
  request: SignedRequest,
  credentials: Credentials,
  region: string,
  now: number,
): AgcodError | undefined {
  const authorization = request.headers.authorization;
  if (authorization === undefined) return AGCOD_ERRORS.missingAuthentication;
  const parts = AUTHORIZATION.exec(authorization);
  if (parts === null) return signatureError('Authorization header requires Credential, SignedHeaders and Signature.');
  const [, accessKeyId = '', date = '', givenRegion, givenService, signedList = '', signature = ''] = parts;
  if (accessKeyId !== credentials.accessKeyId) return AGCOD_ERRORS.unknownAccessKey;
  if (givenRegion !== region)
    return signatureError(`Credential should be scoped to a valid region, not '${givenRegion}'.`);
  if (givenService !== SERVICE) return signatureError(`Credential should be scoped to correct service: '${SERVICE}'.`);

  const stamp = header(request.headers, 'x-amz-date') ?? '';
  const signedAt = parseStamp(stamp);
  if (signedAt === undefined || !stamp.startsWith(date)) {
    return signatureError('Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.');
  }
  if (now - signedAt > MAX_SKEW_MS) return signatureError(`Signature expired: ${stamp} is too old (allowed: 5 min.)`);
  if (signedAt - now > MAX_SKEW_MS) return signatureError(`Signature not yet current: ${stamp} (allowed: 5 min.)`);

  const signed = signedList.split(';');
  const mustBeSigned = ['host', ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))];
  const unsigned = mustBeSigned.filter((name) => !signed.includes(name));
  if (unsigned.length > 0) return signatureError(`'${unsigned.join("', '")}' must be a signed header.`);

  const bodyHash = sha256(request.body);
  const declaredHash = header(request.headers, 'x-amz-content-sha256');
  if (declaredHash !== undefined && declaredHash !== bodyHash) {
    return signatureError('The provided x-amz-content-sha256 header does not match what was computed.');
  }
  const scope = `${date}/${region}/${SERVICE}/aws4_request`;
  const canonical = canonicalRequest(request, signed, bodyHash);
  const stringToSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n');
  const expected = hmac(signingKey(credentials.secretAccessKey, date, region), stringToSign);
  return timingSafeEqual(expected, Buffer.from(signature, 'hex')) ? undefined : AGCOD_ERRORS.signatureMismatch;
}

function canonicalRequest(request: SignedRequest, signed: string[], bodyHash: string): string {
  const headers = signed.map((name) => {
    const value = (header(request.headers, name) ?? '').trim().replace(/\s+/g, ' ');
    return `${name}:${value}\n`;
  });
  const path = request.url.pathname.split('/').map(encode).join('/');
  const query = [...request.url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort();
  return [request.method, path, query.join('&'), headers.join(''), [...signed].sort().join(';'), bodyHash].join('\n');
}

function signingKey(secret: string, date: string, region: string): Buffer {
  const ofDate = hmac(`AWS4${secret}`, date);
  return hmac(hmac(hmac(ofDate, region), SERVICE), 'aws4_request');
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** Milliseconds since the epoch of `YYYYMMDDTHHMMSSZ`. */
function parseStamp(stamp: string): number | undefined {
  const parts = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(stamp);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? undefined : at;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
