import { expect, test } from 'vitest';
import { hashApiKey, isApiKeyOf, mintApiKey, parseApiKey, scopeOf } from './api-key.ts';
import { seededRandom } from './chance.fake.ts';
import { parseKeyring } from './keyring.ts';
import { hashPan } from './kyc.ts';

const ID = '0b7c0d3e-5f0a-4c59-9a44-0f3a52d7c001';
const ring = parseKeyring(`1:${'A'.repeat(43)}`, 'API_KEY_KEYS');

test('a key says what it is, and its id is found in it', () => {
  const key = mintApiKey(ID, seededRandom(1));
  expect(key.text).toMatch(/^hbk_[\w-]{64}$/);
  expect(parseApiKey(key.text)).toEqual(key);
  expect(mintApiKey(ID, seededRandom(2)).text).not.toBe(key.text);
});

test.each([
  '',
  'hbk_',
  `hbk_${'A'.repeat(63)}`,
  `hbk_${'A'.repeat(65)}`,
  `abc_${'A'.repeat(64)}`,
  `hbk_${'!'.repeat(64)}`,
])('%s is no key', (text) => {
  expect(parseApiKey(text)).toBeNull();
});

test('what is stored is compared with one key only, and is for nothing else', async () => {
  const key = mintApiKey(ID, seededRandom(1));
  const hash = await hashApiKey(ring, key);
  expect(hash).not.toContain(key.text);
  expect(await isApiKeyOf(ring, key, hash)).toBe(true);
  expect(await isApiKeyOf(ring, mintApiKey(ID, seededRandom(2)), hash)).toBe(false);
  expect(await hashPan(ring, key.text)).not.toBe(hash);
});

test.each([
  ['GET', '/v1/links', 'links:read'],
  ['GET', '/v1/links/x', 'links:read'],
  ['HEAD', '/v1/links', 'links:read'],
  ['POST', '/v1/links', 'links:write'],
  ['PATCH', '/v1/campaigns/x', 'campaigns:write'],
  ['GET', '/v1/analytics/creator', 'analytics:read'],
  ['POST', '/v1/offers', null],
  ['GET', '/v1/me', null],
  ['GET', '/v1/me/export', null],
  ['POST', '/v1/auth/switch', null],
  ['GET', '/v1/auth/sessions', null],
  ['GET', '/v1/rewards/user', null],
  ['POST', '/v1/events/click', null],
  ['POST', '/v1/api-keys', null],
  ['GET', '/v1/tenants', null],
  ['GET', '/v1/tenants/x/members', null],
  ['GET', '/v2/links', null],
  ['GET', '/', null],
])('%s %s needs the scope %s', (method, path, scope) => {
  expect(scopeOf(method, path)).toBe(scope);
});
