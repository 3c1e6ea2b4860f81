import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';

/** Puts a new key in front of every ring of a stack that is not running, and of the keys that tokens are signed with. */
export async function rotateKeys(dataDir: string): Promise<void> {
  const file = join(dataDir, 'secrets.json');
  const secrets = JSON.parse(readFileSync(file, 'utf8')) as { workers: Record<string, string> };
  for (const [name, text] of Object.entries(secrets.workers)) {
    if (name === 'JWT_KEYS') secrets.workers[name] = JSON.stringify([await signingKey(), ...JSON.parse(text)]);
    else if (/^\d{1,3}:/.test(text)) secrets.workers[name] = `${newKey(text)},${text}`;
  }
  writeFileSync(file, JSON.stringify(secrets));
}

async function signingKey(): Promise<object> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return {
    ...(await exportJWK(privateKey)),
    kid: `rotated-${randomBytes(6).toString('hex')}`,
    alg: 'ES256',
    use: 'sig',
  };
}

function newKey(ring: string): string {
  const ids = ring.split(',').map((entry) => Number(entry.split(':')[0]));
  return `${Math.max(...ids) + 1}:${randomBytes(32).toString('base64url')}`;
}
