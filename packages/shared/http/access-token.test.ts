import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { fixedClock, seededRandom } from '../domain/chance.fake.ts';
import { signAccessToken, verifyAccessToken } from './access-token.ts';
import { ACCESS_TOKEN_TYPE, AUDIENCE, ISSUER } from './token-claims.ts';
import { parseTokenKeys, type TokenKeys } from './token-keys.ts';

const NOW = Date.parse('2026-11-02T10:00:00Z');
const SECONDS = NOW / 1000;
const USER = '0b7c0d3e-5f0a-4c59-9a44-0f3a52d7c001';
const TENANT = '5d1f8c1e-2a60-4c8b-8b1c-0f3a52d7c002';
const SESSION = '5d1f8c1e-2a60-4c8b-8b1c-0f3a52d7c003';

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let ours: Pair;
let older: Pair;
let foreign: Pair;
let keys: TokenKeys;

async function privateJwk(pair: Pair, kid: string): Promise<object> {
  return { ...(await exportJWK(pair.privateKey)), kid };
}

beforeAll(async () => {
  const make = () => generateKeyPair('ES256', { extractable: true });
  [ours, older, foreign] = await Promise.all([make(), make(), make()]);
  keys = await parseTokenKeys(JSON.stringify([await privateJwk(ours, 'k2'), await privateJwk(older, 'k1')]));
});

const goodHeader = { alg: 'ES256', typ: ACCESS_TOKEN_TYPE, kid: 'k2' };
const goodClaims = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: USER,
  role: 'shopper',
  sid: SESSION,
  jti: 'j',
  iat: SECONDS - 10,
  exp: SECONDS + 10,
};

function sign(header: object, claims: object, key: CryptoKey = ours.privateKey): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader(header as { alg: string }).sign(key);
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('a token of ours', () => {
  test('says who it speaks for, for a day', async () => {
    const clock = fixedClock(NOW);
    const grant = { sub: USER, role: 'creator', tenantId: TENANT, sessionId: SESSION } as const;
    const token = await signAccessToken(keys, grant, clock, seededRandom(1));
    expect(await verifyAccessToken(keys, token, NOW)).toMatchObject({
      sub: USER,
      role: 'creator',
      tenantId: TENANT,
      sessionId: SESSION,
      scopes: null,
      expiresAt: SECONDS + 86_400,
    });
    expect(await verifyAccessToken(keys, token, NOW + 86_399_000)).not.toBeNull();
    expect(await verifyAccessToken(keys, token, NOW + 86_400_000)).toBeNull();
  });

  test('made with an older key still verifies while the key is listed', async () => {
    const token = await sign({ ...goodHeader, kid: 'k1' }, goodClaims, older.privateKey);
    expect(await verifyAccessToken(keys, token, NOW)).toMatchObject({ sub: USER });
  });

  test.each([
    { sub: USER, role: 'creator' as const, sessionId: SESSION },
    { sub: USER, role: 'shopper' as const, sessionId: SESSION, tenantId: TENANT },
    { sub: USER, role: 'shopper' as const },
    { sub: USER, role: 'widget' as const, tenantId: TENANT, sessionId: SESSION },
    { sub: 'cron', role: 'cron' as const, sessionId: SESSION },
  ])('is not signed for a tenant or session that does not go with its role: %o', async (grant) => {
    await expect(signAccessToken(keys, grant, fixedClock(NOW), seededRandom(1))).rejects.toThrow(RangeError);
  });
});

describe('verification refuses', () => {
  const wrong: [string, () => Promise<string> | string][] = [
    ['nothing', () => ''],
    ['text', () => 'not.a.token'],
    ['alg none', () => `${encode({ ...goodHeader, alg: 'none' })}.${encode(goodClaims)}.`],
    [
      'HS256 with the public key as secret',
      async () => {
        const jwk = JSON.stringify(keys.jwks.keys[0]);
        return new SignJWT(goodClaims)
          .setProtectedHeader({ ...goodHeader, alg: 'HS256' })
          .sign(new TextEncoder().encode(jwk));
      },
    ],
    ['a foreign key under our kid', () => sign(goodHeader, goodClaims, foreign.privateKey)],
    ['our older key under the current kid', () => sign(goodHeader, goodClaims, older.privateKey)],
    ['an unknown kid', () => sign({ ...goodHeader, kid: 'k9' }, goodClaims)],
    ['no kid', () => sign({ alg: 'ES256', typ: ACCESS_TOKEN_TYPE }, goodClaims)],
    [
      'an embedded jwk that verifies',
      async () => {
        const jwk = await exportJWK(foreign.publicKey);
        return sign({ alg: 'ES256', typ: ACCESS_TOKEN_TYPE, jwk }, goodClaims, foreign.privateKey);
      },
    ],
    [
      'an embedded jwk beside our kid',
      async () => sign({ ...goodHeader, jwk: await exportJWK(ours.publicKey) }, goodClaims),
    ],
    ['a jku', () => sign({ ...goodHeader, jku: 'https://attacker.test/jwks.json' }, goodClaims)],
    ['an x5u', () => sign({ ...goodHeader, x5u: 'https://attacker.test/x5u' }, goodClaims)],
    ['an unknown critical header', () => sign({ ...goodHeader, crit: ['x'], x: 1 }, goodClaims).catch(() => 'refused')],
    ['an expired token', () => sign(goodHeader, { ...goodClaims, exp: SECONDS })],
    ['a token of tomorrow', () => sign(goodHeader, { ...goodClaims, nbf: SECONDS + 60 })],
    ['another issuer', () => sign(goodHeader, { ...goodClaims, iss: 'someone' })],
    ['another audience', () => sign(goodHeader, { ...goodClaims, aud: 'someone-api' })],
    ['another type', () => sign({ ...goodHeader, typ: 'JWT' }, goodClaims)],
    ['no type', () => sign({ alg: 'ES256', kid: 'k2' }, goodClaims)],
    ['no expiry', () => sign(goodHeader, { ...goodClaims, exp: undefined })],
    ['no jti', () => sign(goodHeader, { ...goodClaims, jti: undefined })],
    ['no subject', () => sign(goodHeader, { ...goodClaims, sub: undefined })],
    ['a subject that is no id', () => sign(goodHeader, { ...goodClaims, sub: "' or 1=1" })],
    ['an unknown role', () => sign(goodHeader, { ...goodClaims, role: 'root' })],
    ['a creator without tenant', () => sign(goodHeader, { ...goodClaims, role: 'creator' })],
    ['a shopper with a tenant', () => sign(goodHeader, { ...goodClaims, tenant_id: TENANT })],
    ['a tenant that is no id', () => sign(goodHeader, { ...goodClaims, role: 'creator', tenant_id: '*' })],
    ['a person without a session', () => sign(goodHeader, { ...goodClaims, sid: undefined })],
    ['a session that is no id', () => sign(goodHeader, { ...goodClaims, sid: '*' })],
    ['a cron with a session', () => sign(goodHeader, { ...goodClaims, role: 'cron' })],
    [
      'a widget whose token has no id',
      () => sign(goodHeader, { ...goodClaims, role: 'widget', tenant_id: TENANT, sid: undefined }),
    ],
    [
      'changed claims',
      async () => {
        const [header, , signature] = (await sign(goodHeader, goodClaims)).split('.');
        return `${header}.${encode({ ...goodClaims, role: 'operator' })}.${signature}`;
      },
    ],
    ['an overlong token', async () => `${await sign(goodHeader, { ...goodClaims, x: 'x'.repeat(5_000) })}`],
  ];

  test.each(wrong)('%s', async (_, make) => {
    expect(await verifyAccessToken(keys, await make(), NOW)).toBeNull();
  });

  test('and each of them would pass without its fault', async () => {
    expect(await verifyAccessToken(keys, await sign(goodHeader, goodClaims), NOW)).not.toBeNull();
  });
});

describe('JWT_KEYS', () => {
  test('publishes the public halves only', () => {
    expect(keys.jwks.keys.map((key) => key.kid)).toEqual(['k2', 'k1']);
    expect(JSON.stringify(keys.jwks)).not.toContain('"d"');
  });

  test.each([
    ['undefined', undefined],
    ['no JSON', '{'],
    ['no array', '{}'],
    ['an empty array', '[]'],
    ['a symmetric key', '[{"kty":"oct","k":"AAAA","kid":"k1"}]'],
    ['a public key', '[{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","kid":"k1"}]'],
    ['a broken key', '[{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","d":"AAAA","kid":"k1"}]'],
  ])('refuses %s without quoting it', async (_, text) => {
    const refusal = parseTokenKeys(text);
    await expect(refusal).rejects.toThrow(/^JWT_KEYS/);
    await expect(refusal).rejects.not.toThrow(/AAAA/);
  });

  test('refuses a kid used twice', async () => {
    const jwk = await privateJwk(ours, 'k1');
    await expect(parseTokenKeys(JSON.stringify([jwk, jwk]))).rejects.toThrow('twice');
  });
});
