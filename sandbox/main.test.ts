import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { CREDENTIALS, call, creation, PARTNER } from './agcod/testing.ts';
import { get, temporaryDirectory } from './kit/testing.ts';
import { readSettings } from './settings.ts';

const REQUIRED = {
  AGCOD_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AGCOD_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AGCOD_PARTNER_ID: PARTNER,
  TRACKIER_API_KEY: 'network-key',
  SMS_AUTH_KEY: 'sms-key',
};

async function startProcess(dir: string) {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const env = { PATH: process.env.PATH, ...REQUIRED };
  const child = spawn(process.execPath, [main, `--sandbox-dir=${dir}`], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, urls: JSON.parse(line) as Record<'agcod' | 'trackier' | 'sms' | 'pager' | 'dns', string> };
}

test('all start in one process, cards outlive SIGKILL, and SIGTERM ends it cleanly', async () => {
  const dir = temporaryDirectory();
  const first = await startProcess(dir);
  const card = (await call(first.urls.agcod, 'CreateGiftCard', creation('A1'))).body;
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const { child, urls } = await startProcess(dir);
  expect((await call(urls.agcod, 'CreateGiftCard', creation('A1'))).body).toEqual(card);
  expect((await get(`${urls.trackier}/v2/publisher/campaigns`, { 'x-api-key': 'network-key' })).status).toBe(200);
  expect((await get(`${urls.sms}/messages`)).body).toEqual([]);
  expect((await get(`${urls.pager}/__control/events`)).body).toEqual({ events: [] });
  expect((await get(`${urls.dns}/__control/records`)).body).toEqual({ records: [] });
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('arguments win over the environment, and what is missing or malformed is named', () => {
  const environment = { ...REQUIRED, SANDBOX_DIR: '/data', AGCOD_PORT: '1' };
  expect(readSettings(environment, ['--agcod-port=2']).agcod).toMatchObject({ port: 2, dir: '/data' });
  expect(() => readSettings({ ...environment, SMS_AUTH_KEY: '' }, [])).toThrow('SMS_AUTH_KEY is not set');
  expect(() => readSettings(environment, ['--agcod-port=x'])).toThrow('AGCOD_PORT');
  expect(() => readSettings(environment, ['agcod-port'])).toThrow('--name=value');
});
