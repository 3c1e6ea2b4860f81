import { expect, test } from 'vitest';
import type { WorkerSecrets } from './secrets.ts';
import { devVars, localConfig, localVars, SECRETS, type WranglerConfig } from './worker-config.ts';

const COMMITTED: WranglerConfig = {
  name: 'hissaback-webhook',
  main: 'index.ts',
  vars: { TRACKIER_ENDPOINT: 'https://api.trackier.com', TRACKIER_ALLOWLIST: '', PLATFORM_FEE_BP: '0' },
  hyperdrive: [{ binding: 'DB', id: 'hissaback-ingest' }],
  queues: { producers: [{ binding: 'POSTBACKS', queue: 'hissaback-postbacks' }] },
};

const ADDRESSES = {
  origin: 'http://localhost:9000',
  agcod: 'http://127.0.0.1:9002',
  trackier: 'http://127.0.0.1:9003',
  sms: 'http://127.0.0.1:9004',
  pager: 'http://127.0.0.1:9005',
  dns: 'http://127.0.0.1:9007',
  trackierCsv: 'http://127.0.0.1:9003/csv',
};

const local = (env: NodeJS.ProcessEnv = {}) =>
  localConfig(COMMITTED, { vars: localVars(ADDRESSES), env, main: '/checkout/index.ts', databaseUrl: 'postgres://x' });

test('the stack’s addresses and the open allowlist replace the committed vars, the rest stays', () => {
  expect(local()).toEqual({
    ...COMMITTED,
    main: '/checkout/index.ts',
    vars: { TRACKIER_ENDPOINT: 'http://127.0.0.1:9003', TRACKIER_ALLOWLIST: '0.0.0.0/0,::/0', PLATFORM_FEE_BP: '0' },
    hyperdrive: [{ binding: 'DB', id: 'hissaback-ingest', localConnectionString: 'postgres://x' }],
  });
});

test('any setting of a worker’s vars can be overridden from the environment, also with an empty value', () => {
  const vars = local({ PLATFORM_FEE_BP: '250', TRACKIER_ALLOWLIST: '', TRACKIER_ENDPOINT: 'http://x' }).vars;
  expect(vars).toEqual({ TRACKIER_ENDPOINT: 'http://x', TRACKIER_ALLOWLIST: '', PLATFORM_FEE_BP: '250' });
});

test('the rate-limit binding says what the var says', () => {
  const ratelimits = [{ name: 'PUBLIC_LIMIT', namespace_id: '1001', simple: { limit: 100, period: 60 } }];
  const committed = { ...COMMITTED, ratelimits, vars: { PUBLIC_PER_MINUTE: '100' } };
  const limits = (env: NodeJS.ProcessEnv) => localConfig(committed, { vars: {}, env, main: 'index.ts' }).ratelimits;
  expect(limits({})).toEqual(ratelimits);
  expect(limits({ PUBLIC_PER_MINUTE: '9000' })).toMatchObject([{ simple: { limit: 9000, period: 60 } }]);
});

test('a worker gets no setting it did not ask for', () => {
  expect(local({ HOME: '/somewhere', SMS_ENDPOINT: 'http://y' }).vars).not.toHaveProperty('SMS_ENDPOINT');
});

const secrets = new Proxy({} as WorkerSecrets, { get: (_, name) => `value of ${String(name)}` });

test('a worker gets its own secrets only: no other worker holds AGCOD’s keys', () => {
  const holders = Object.entries(SECRETS).filter(([, names]) => names.includes('AGCOD_SECRET_ACCESS_KEY'));
  expect(holders.map(([worker]) => worker)).toEqual(['payout-cron']);
  expect(devVars('durable-objects', secrets)).toBe("OTP_KEYS='value of OTP_KEYS'\n");
  expect(devVars('gateway', secrets)).toBe('');
});

test.each([
  ['[{"kid":"a"}]', `'[{"kid":"a"}]'`],
  ["it's", `"it's"`],
  ['pa$$word', "'pa\\$\\$word'"],
])('the secret %s is quoted as %s', (value, quoted) => {
  expect(devVars('durable-objects', { ...secrets, OTP_KEYS: value })).toBe(`OTP_KEYS=${quoted}\n`);
});

test('a secret that cannot be quoted is refused, not cut', () => {
  expect(() => devVars('durable-objects', { ...secrets, OTP_KEYS: 'two\nlines' })).toThrow(/line break/);
});
