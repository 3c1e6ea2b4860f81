import { exportJWK, generateKeyPair } from 'jose';
import { expect, test } from 'vitest';
import { fixedClock, seededRandom } from '../domain/chance.fake.ts';
import { signAccessToken, verifyAccessToken } from './access-token.ts';
import { PROOF_TOKEN_SECONDS, signProofToken, verifyProofToken } from './proof-token.ts';
import { parseTokenKeys } from './token-keys.ts';

const USER = '0b7c0d3e-5f0a-4c59-9a44-0f3a52d7c001';
const clock = fixedClock('2026-11-02T10:00:00Z');
const now = clock.now();

async function freshKeys() {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return parseTokenKeys(JSON.stringify([{ ...(await exportJWK(privateKey)), kid: 'k1' }]));
}

test('a proof token names its user for ten minutes, and is no access token', async () => {
  const keys = await freshKeys();
  const token = await signProofToken(keys, USER, clock, seededRandom(1));
  expect(await verifyProofToken(keys, token, now)).toBe(USER);
  expect(await verifyProofToken(keys, token, now + PROOF_TOKEN_SECONDS * 1000)).toBeNull();
  expect(await verifyAccessToken(keys, token, now)).toBeNull();
  expect(await verifyProofToken(await freshKeys(), token, now)).toBeNull();
});

test('an access token proves nothing here', async () => {
  const keys = await freshKeys();
  const grant = { sub: USER, role: 'shopper', sessionId: USER } as const;
  expect(await verifyProofToken(keys, await signAccessToken(keys, grant, clock, seededRandom(1)), now)).toBeNull();
  expect(await verifyProofToken(keys, 'junk', now)).toBeNull();
});
