import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tableChecksum } from '../../../scripts/fuzz/checksum.ts';
import type { FuzzAnswer } from '../../../scripts/fuzz/judge.ts';
import { operationsOf } from '../../../scripts/fuzz/operations.ts';
import type { FuzzRequest } from '../../../scripts/fuzz/request.ts';
import { fuzz } from '../../../scripts/fuzz/run.ts';
import { limitNamespace, otpNamespace } from '../identity/stage.fake.ts';
import { fuzzWorld } from '../openapi/world.fake.ts';
import { type Stage, stage } from '../stage.fake.ts';

const REQUESTS = 1_500;
const WITHIN_MS = 25_000;

let on: Stage;
let gateway: Server;
beforeAll(async () => {
  on = await stage();
  // The SMS gateway, and a resolver that knows no name.
  gateway = createServer(({ url }, answer) =>
    answer
      .setHeader('content-type', 'application/json')
      .end(url?.startsWith('/dns-query') ? '{"Status":3}' : '{"type":"success","message":"id"}'),
  );
  await new Promise<void>((listening) => gateway.listen(0, '127.0.0.1', listening));
  const random = { bytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)) };
  const { port } = gateway.address() as AddressInfo;
  Object.assign(on.env, {
    OTP: otpNamespace(random),
    LIMIT: limitNamespace(),
    POSTBACKS: { send: async () => undefined },
    PAYOUTS: {
      operate: async () => ({ ok: false, reason: 'not_found' }),
      voucher: async () => ({ ok: false, reason: 'not_found' }),
      resend: async () => ({ ok: false, reason: 'not_found' }),
    },
    SMS_ENDPOINT: `http://127.0.0.1:${port}`,
    DNS_ENDPOINT: `http://127.0.0.1:${port}/dns-query`,
    OTP_TOTAL_PER_HOUR: '1000000',
  });
});
afterAll(async () => {
  gateway.close();
  await on.close();
});

async function send({ method, path, headers, body }: FuzzRequest): Promise<FuzzAnswer | null> {
  const began = performance.now();
  try {
    const {
      status,
      headers: answered,
      text,
    } = await on.call(method, path, { headers, ...(body !== null && { body }) });
    return { status, headers: answered, text, milliseconds: performance.now() - began };
  } catch (error) {
    // What is no HTTP at all cannot be sent.
    if (error instanceof TypeError && /header|Request|URL/i.test(error.message)) return null;
    const text = error instanceof Error ? error.message : String(error);
    return { status: 599, headers: new Headers(), text, milliseconds: performance.now() - began };
  }
}

test('hostile requests over all routes: no failure, no hang, no look inside, answers as described, and no row changed by what was refused', {
  timeout: WITHIN_MS * 4,
}, async () => {
  const description = (await on.call('GET', '/v1/openapi.json')).json;
  const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const report = await fuzz(
    {
      operations: operationsOf(description).filter(({ path }) => path !== '/v1/events/conversion'),
      world: () => fuzzWorld(on),
      send,
      checksum: await tableChecksum((text) => on.sql(text)),
    },
    { seed, requests: REQUESTS, lanes: 4, within: WITHIN_MS, failuresAtMost: 10 },
  );
  expect(report.failures, `with FUZZ_SEED=${seed}`).toEqual([]);
  expect(report.missed).toEqual([]);
  expect(report.sent).toBeGreaterThan(300);
});
