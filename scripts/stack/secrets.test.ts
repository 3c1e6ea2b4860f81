import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ACCESS_TOKEN_TYPE, AUDIENCE, ISSUER } from '@hissaback/shared/http/token-claims';
import { importJWK, type JWK, jwtVerify } from 'jose';
import { afterEach, expect, test } from 'vitest';
import { cronToken, loadSecrets, overrideSecrets } from './secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'hissaback-secrets-'));
const file = join(folder, 'secrets.json');
afterEach(() => rmSync(file, { force: true }));

test('secrets are made once, for their owner only, and kept', async () => {
  const made = await loadSecrets(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await loadSecrets(file)).toEqual(made);
});

test('two stacks share no secret', async () => {
  const one = await loadSecrets(file);
  rmSync(file);
  const two = await loadSecrets(file);
  for (const [name, value] of Object.entries(one.workers)) {
    expect(Object.entries(two.workers)).not.toContainEqual([name, value]);
  }
});

test('the cron token verifies with the stack’s own key, as a cron’s access token', async () => {
  const { workers } = await loadSecrets(file);
  const [key] = JSON.parse(workers.JWT_KEYS) as [JWK];
  const { d, ...open } = key;
  expect(d).toBeTypeOf('string');
  const { payload, protectedHeader } = await jwtVerify(
    await cronToken(workers.JWT_KEYS),
    await importJWK(open, 'ES256'),
    {
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: ACCESS_TOKEN_TYPE,
      algorithms: ['ES256'],
    },
  );
  expect(payload).toMatchObject({ sub: 'cron', role: 'cron', jti: expect.any(String) });
  expect(protectedHeader.kid).toBe(key.kid);
});

test('a secret that a later version brings is added, the others stay', async () => {
  const { workers, ...rest } = await loadSecrets(file);
  const { OTP_KEYS, ...older } = workers;
  writeFileSync(file, JSON.stringify({ workers: older, ...rest }));
  const completed = await loadSecrets(file);
  expect(completed.workers).toMatchObject(older);
  expect(completed.workers.OTP_KEYS).toMatch(/^1:/);
  expect(completed.workers.OTP_KEYS).not.toBe(OTP_KEYS);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(completed);
});

test('a damaged secrets.json is reported, never replaced', async () => {
  writeFileSync(file, '{"workers":');
  await expect(loadSecrets(file)).rejects.toThrow(/cannot be read/);
});

test('an environment variable of a secret’s name replaces it', async () => {
  const { workers } = await loadSecrets(file);
  const overridden = overrideSecrets(workers, { AGCOD_ACCESS_KEY_ID: 'AKIAOTHER', UNRELATED: 'x' });
  expect(overridden).toEqual({ ...workers, AGCOD_ACCESS_KEY_ID: 'AKIAOTHER' });
});
