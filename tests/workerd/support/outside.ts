import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startAgcod } from '../../../sandbox/agcod/server.ts';
import { startPager } from '../../../sandbox/pager/server.ts';
import { startSms } from '../../../sandbox/sms/server.ts';
import { createTestDatabase, startTestServer } from '../../support/postgres.ts';
import { PARTNER_ID } from './provided.ts';

/** Vitest's globalSetup: starts them, and stops them after the run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { stop, ...server } = await startTestServer();
  const { owner, api, webhook, payout, drop } = await createTestDatabase(server);
  const dir = mkdtempSync(join(tmpdir(), 'hissaback-workerd-'));
  const clock = { now: () => Date.now() };
  const secrets = {
    accessKeyId: 'AKIATEST',
    secretAccessKey: 'test-secret',
    smsKey: 'sms-key',
    routingKey: 'r'.repeat(32),
  };
  const credentials = { accessKeyId: secrets.accessKeyId, secretAccessKey: secrets.secretAccessKey };
  const running = await Promise.all([
    startAgcod({ dir, clock, credentials, partnerId: PARTNER_ID, callsPerSecond: 0, fundsCallsPerSecond: 0 }),
    startSms({ dir, clock, authKey: secrets.smsKey }),
    startPager({ dir, clock, routingKey: secrets.routingKey }),
  ]);
  const [agcod, sms, pager] = running;
  project.provide('outside', {
    database: { owner, api, webhook, payout },
    ...{ agcod: agcod.url, sms: sms.url, pager: pager.url, secrets },
  });
  return async () => {
    await Promise.all(running.map((sandbox) => sandbox.close()));
    rmSync(dir, { recursive: true, force: true });
    await drop();
    await stop();
  };
}
