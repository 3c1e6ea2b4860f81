import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startAgcod } from '../../../sandbox/agcod/server.ts';
import type { Running } from '../../../sandbox/kit/http.ts';
import { readOutcome } from '../domain/agcod-outcome.ts';
import { type AgcodAccount, type AgcodIo, availableFunds, createGiftCard } from './agcod.ts';

const CREDENTIALS = { accessKeyId: 'AKIATEST', secretAccessKey: 'test-secret' };
const REQUEST = { creationRequestId: 'Hissa0000000000000000000000001', amount: 50_000n, currency: 'INR' };
const NOW = Date.parse('2026-11-10T06:00:00Z');
const io: AgcodIo = { fetch: (input, init) => fetch(input, init), clock: { now: () => NOW }, timeoutMs: 6_000 };

let agcod: Running;
let account: AgcodAccount;
const dir = mkdtempSync(join(tmpdir(), 'hissaback-agcod-'));
beforeAll(async () => {
  const options = {
    dir,
    credentials: CREDENTIALS,
    partnerId: 'Hissa',
    fractions: true,
    callsPerSecond: 0,
    funds: '750.25',
  };
  agcod = await startAgcod({ ...options, clock: { now: () => NOW } });
  account = { endpoint: agcod.url, region: 'eu-west-1', partnerId: 'Hissa' };
});
beforeEach(async () => {
  await control('reset', {});
});
afterAll(async () => {
  await agcod.close();
  rmSync(dir, { recursive: true, force: true });
});

async function control(path: string, body: unknown): Promise<void> {
  await (await fetch(`${agcod.url}/__control/${path}`, { method: 'POST', body: JSON.stringify(body) })).text();
}

describe('the wire format of facts: path, target, SigV4 over five headers', () => {
  it('a signed CreateGiftCard is accepted, and the same id is the same card', async () => {
    const answers = [
      await createGiftCard(account, CREDENTIALS, REQUEST, io),
      await createGiftCard(account, CREDENTIALS, REQUEST, io),
    ].map((answer) => readOutcome(REQUEST, answer));
    expect(answers[0]?.kind).toBe('issued');
    expect(answers[1]).toEqual(answers[0]);
  });

  it('signs exactly the headers that Amazon signs, and sends the amount as an exact number', async () => {
    let sent: RequestInit = {};
    const spy: AgcodIo = {
      ...io,
      fetch: async (_, init) => {
        sent = init;
        return Response.json({});
      },
    };
    await createGiftCard(account, CREDENTIALS, { ...REQUEST, amount: 1_000_001n }, spy);
    const authorization = new Headers(sent.headers).get('authorization') ?? '';
    expect(authorization).toContain('SignedHeaders=accept;content-type;host;x-amz-date;x-amz-target,');
    expect(authorization).toContain('/20261110/eu-west-1/AGCODService/aws4_request');
    expect(sent.body).toContain('"amount":10000.01}');
    expect(sent.redirect).toBe('manual');
  });

  it.each([
    ['another secret', { secretAccessKey: 'wrong' }],
    ['another key', { accessKeyId: 'AKIAOTHER' }],
  ])('%s is partner trouble', async (_, change) => {
    const answer = await createGiftCard(account, { ...CREDENTIALS, ...change }, REQUEST, io);
    expect(readOutcome(REQUEST, answer).kind).toBe('held');
  });

  it('asks for the balance', async () => {
    expect(await availableFunds(account, CREDENTIALS, io)).toBe(75_025n);
    expect(await availableFunds({ ...account, partnerId: 'Other' }, CREDENTIALS, io)).toBeNull();
  });
});

describe('what is not an answer is a silence, never an error', () => {
  it.each([
    ['drop-before', 'network'],
    ['garbage', 'unreadable'],
    ['http-500', 'unreadable'],
  ])('%s: %s', async (kind, reason) => {
    await control('faults', { kind });
    expect(await createGiftCard(account, CREDENTIALS, REQUEST, io)).toEqual({ kind: 'silence', reason });
  });

  it('gives up after the timeout', async () => {
    await control('faults', { kind: 'delay', ms: 5_000 });
    const answer = await createGiftCard(account, CREDENTIALS, REQUEST, { ...io, timeoutMs: 50 });
    expect(answer).toEqual({ kind: 'silence', reason: 'timeout' });
  });

  it('an address that is none, or nobody at it', async () => {
    for (const endpoint of ['', 'http://127.0.0.1:1'])
      expect(await createGiftCard({ ...account, endpoint }, CREDENTIALS, REQUEST, io)).toEqual({
        kind: 'silence',
        reason: 'network',
      });
  });
});
