import { expect, it } from 'vitest';
import { seededRandom } from './chance.fake.ts';
import { parseKeyring } from './keyring.ts';
import { SealedTextError } from './sealed-text.ts';
import { openWebhookSecret, resealWebhookSecret, sealWebhookSecret } from './webhook-secret.ts';

const OLD = `1:${'A'.repeat(43)}`;
const NEW = `2:${'B'.repeat(42)}A`;
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAAAAAA';
const OWNER = {
  tenant_id: 'aaaaaaaa-0000-4000-8000-000000000001',
  endpoint_id: 'bbbbbbbb-0000-4000-8000-000000000001',
};
const random = seededRandom(1);
const ring = parseKeyring(OLD, 'WEBHOOK_KEYS');

it('a signing secret comes back for its own endpoint, and its text is nowhere in what is kept', async () => {
  const kept = await sealWebhookSecret(SECRET, OWNER, ring, random);
  expect(kept).toMatch(/^1\.[\w-]{16}\.[\w-]+$/);
  expect(kept).not.toContain('whsec');
  expect(await openWebhookSecret(kept, OWNER, ring)).toBe(SECRET);
});

it('moved to another endpoint or tenant it does not open', async () => {
  const kept = await sealWebhookSecret(SECRET, OWNER, ring, random);
  for (const other of [{ tenant_id: OWNER.endpoint_id }, { endpoint_id: OWNER.tenant_id }]) {
    await expect(openWebhookSecret(kept, { ...OWNER, ...other }, ring)).rejects.toThrow(SealedTextError);
  }
});

it('keys rotate by adding one: the old secret opens, is sealed again with the new key, and then needs the old no more', async () => {
  const kept = await sealWebhookSecret(SECRET, OWNER, ring, random);
  const both = parseKeyring(`${NEW},${OLD}`, 'WEBHOOK_KEYS');
  expect(await openWebhookSecret(kept, OWNER, both)).toBe(SECRET);
  const again = await resealWebhookSecret(kept, OWNER, both, random);
  expect(again).toMatch(/^2\./);
  const newOnly = parseKeyring(NEW, 'WEBHOOK_KEYS');
  expect(await openWebhookSecret(again ?? '', OWNER, newOnly)).toBe(SECRET);
  expect(await resealWebhookSecret(again ?? '', OWNER, both, random)).toBeNull();
  await expect(openWebhookSecret(kept, OWNER, newOnly)).rejects.toThrow('key 1 is not in the ring');
});

it('a secret from before they were encrypted is read, and sealed', async () => {
  expect(await openWebhookSecret(SECRET, OWNER, ring)).toBe(SECRET);
  const kept = await resealWebhookSecret(SECRET, OWNER, ring, random);
  expect(await openWebhookSecret(kept ?? '', OWNER, ring)).toBe(SECRET);
});
