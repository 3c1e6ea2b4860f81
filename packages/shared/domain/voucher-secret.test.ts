import { expect, it } from 'vitest';
import { seededRandom } from './chance.fake.ts';
import { parseKeyring } from './keyring.ts';
import { openClaimCode, sealClaimCode, VoucherSecretError } from './voucher-secret.ts';

const OLD = `1:${'A'.repeat(43)}`;
const NEW = `2:${'B'.repeat(42)}A`;
const PAYOUT = 'aaaaaaaa-0000-4000-8000-000000000001';
const CODE = 'LJ49-AKDUV6-UYCP';
const random = seededRandom(1);
const ring = parseKeyring(OLD, 'VOUCHER_KEYS');

it('a claim code comes back for its own payout, and its text is nowhere in the secret', async () => {
  const secret = await sealClaimCode(CODE, PAYOUT, ring, random);
  expect(secret).toMatch(/^1\.[\w-]{16}\.[\w-]+$/);
  expect(secret).not.toContain('LJ49');
  expect(await openClaimCode(secret, PAYOUT, ring)).toBe(CODE);
});

it('the same code is never sealed alike twice', async () => {
  const secrets = [await sealClaimCode(CODE, PAYOUT, ring, random), await sealClaimCode(CODE, PAYOUT, ring, random)];
  expect(secrets[0]).not.toBe(secrets[1]);
});

it('a secret moved to another payout does not open', async () => {
  const secret = await sealClaimCode(CODE, PAYOUT, ring, random);
  await expect(openClaimCode(secret, PAYOUT.replace('1', '2'), ring)).rejects.toThrow(VoucherSecretError);
});

it('keys rotate: old secrets open while their key is listed, new ones use the first key', async () => {
  const secret = await sealClaimCode(CODE, PAYOUT, ring, random);
  const rotated = parseKeyring(`${NEW},${OLD}`, 'VOUCHER_KEYS');
  expect(await openClaimCode(secret, PAYOUT, rotated)).toBe(CODE);
  expect(await sealClaimCode(CODE, PAYOUT, rotated, random)).toMatch(/^2\./);
  await expect(openClaimCode(secret, PAYOUT, parseKeyring(NEW, 'VOUCHER_KEYS'))).rejects.toThrow(
    'key 1 is not in the ring',
  );
});

it.each(['', 'x', '1.AAAA.AAAA', '999.AAAAAAAAAAAAAAAA.AAAA', `1.${'A'.repeat(16)}.AAAA`])(
  'refuses %j',
  async (secret) => {
    await expect(openClaimCode(secret, PAYOUT, ring)).rejects.toThrow(VoucherSecretError);
  },
);
