import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { ACCESS_TOKEN_TYPE, type AccessClaims, AUDIENCE, ISSUER } from '@hissaback/shared/http/token-claims';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { StackFailure } from './failure.ts';

/** A worker's secrets by the names it knows them by. */
export type WorkerSecrets = {
  REFERENCE_KEYS: string;
  VISITOR_KEYS: string;
  VOUCHER_KEYS: string;
  OTP_KEYS: string;
  PHONE_KEYS: string;
  KYC_KEYS: string;
  API_KEY_KEYS: string;
  WEBHOOK_KEYS: string;
  JWT_KEYS: string;
  WEBHOOK_TOKENS: string;
  SMS_REPORT_TOKENS: string;
  TRACKIER_API_KEY: string;
  AGCOD_ACCESS_KEY_ID: string;
  AGCOD_SECRET_ACCESS_KEY: string;
  SMS_AUTH_KEY: string;
  PAGER_ROUTING_KEY: string;
};

export type SecretName = keyof WorkerSecrets;

/** Everything secret of one stack, made once and kept in DATA_DIR/secrets.json. */
export type Secrets = {
  workers: WorkerSecrets;
  /** Password of the embedded server's superuser. */
  postgresPassword: string;
};

const TEN_YEARS_S = 10 * 365 * 86_400;
const token = () => randomBytes(24).toString('base64url');
const keyring = () => `1:${randomBytes(32).toString('base64url')}`;

async function generate(): Promise<Secrets> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const signing: JWK = {
    ...(await exportJWK(privateKey)),
    kid: `local-${token().slice(0, 8)}`,
    alg: 'ES256',
    use: 'sig',
  };
  return {
    workers: {
      REFERENCE_KEYS: keyring(),
      VISITOR_KEYS: keyring(),
      VOUCHER_KEYS: keyring(),
      OTP_KEYS: keyring(),
      PHONE_KEYS: keyring(),
      KYC_KEYS: keyring(),
      API_KEY_KEYS: keyring(),
      WEBHOOK_KEYS: keyring(),
      JWT_KEYS: JSON.stringify([signing]),
      WEBHOOK_TOKENS: token(),
      SMS_REPORT_TOKENS: token(),
      TRACKIER_API_KEY: token(),
      AGCOD_ACCESS_KEY_ID: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
      AGCOD_SECRET_ACCESS_KEY: randomBytes(30).toString('base64url'),
      SMS_AUTH_KEY: token(),
      PAGER_ROUTING_KEY: randomBytes(16).toString('hex'),
    },
    postgresPassword: token(),
  };
}

function read(file: string): Partial<Secrets> | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StackFailure(
      `${file} cannot be read (${error instanceof Error ? error.message : error})`,
      'Put it right, or delete the whole DATA_DIR to begin anew: vouchers in its database cannot be read without it',
    );
  }
}

/**
 * The stack's secrets, generated on its first start and readable by its owner only. A secret that a later version of the
 * platform brings is added to the file, those in it stay.
 */
export async function loadSecrets(file: string): Promise<Secrets> {
  const kept = read(file);
  const made = await generate();
  const secrets = { ...made, ...kept, workers: { ...made.workers, ...kept?.workers } };
  const text = JSON.stringify(secrets, null, 2);
  if (kept && text === JSON.stringify(kept, null, 2)) return secrets;
  const draft = `${file}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, file);
  return secrets;
}

/** The workers' secrets, each replaced by the environment variable of its name if there is one. */
export function overrideSecrets(workers: WorkerSecrets, env: NodeJS.ProcessEnv): WorkerSecrets {
  const names = Object.keys(workers) as SecretName[];
  return Object.fromEntries(names.map((name) => [name, env[name] ?? workers[name]])) as WorkerSecrets;
}

/** A cron's access token for outside tools, signed with the first of the api's keys (`JWT_KEYS`). */
export async function cronToken(jwtKeys: string): Promise<string> {
  const [key] = JSON.parse(jwtKeys) as JWK[];
  if (!key)
    throw new StackFailure('JWT_KEYS holds no key', 'Give it a JSON array of private ES256 keys, or leave it unset');
  const claims = { role: 'cron' } satisfies Pick<AccessClaims, 'role'>;
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: key.kid ?? '', typ: ACCESS_TOKEN_TYPE })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject('cron')
    .setJti(token())
    .setIssuedAt(now)
    .setExpirationTime(now + TEN_YEARS_S)
    .sign(await importJWK(key, 'ES256'));
}
