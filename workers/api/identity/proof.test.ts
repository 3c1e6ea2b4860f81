import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { hashPan } from '@hissaback/shared/domain/kyc';
import { verifyAccessToken } from '@hissaback/shared/http/access-token';
import { parseTokenKeys, type TokenKeys } from '@hissaback/shared/http/token-keys';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../../../tests/support/postgres.ts';
import { cookieSet, createStage, type Stage } from './stage.fake.ts';

let database: TestDatabase;
let jwtKeys: string;
let keys: TokenKeys;
let stage: Stage;
let phones = 0;

const DAY = 86_400_000;
const freshPhone = (): string => `+9176543${String(phones++).padStart(5, '0')}`;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  jwtKeys = JSON.stringify([{ ...(await exportJWK(privateKey)), kid: 'k1' }]);
  keys = await parseTokenKeys(jwtKeys);
});
afterAll(() => database.drop());
beforeEach(async () => {
  stage = await createStage(database.api, jwtKeys);
});
afterEach(() => stage.close());

const sql = (text: string, params: unknown[] = []) =>
  onServer(database.owner, async (client) => (await client.query(text, params)).rows);
const prove = (body: unknown) => stage.call('POST', '/v1/auth/proof', body);
const subjectOf = async (jwt: string) => (await verifyAccessToken(keys, jwt, stage.clock.now()))?.sub ?? '';

/** Someone with an email and a PAN who was away for 200 days, and what the next login answers. */
async function dormant(columns: { email?: string | null; pan?: string | null } = {}) {
  const phone = freshPhone();
  const { jwt } = await stage.logIn(phone);
  const userId = await subjectOf(jwt);
  const { email = 'asha@example.test', pan = 'ABCPE1234F' } = columns;
  const hash = pan === null ? null : await hashPan(keyringFrom(stage.env.KYC_KEYS, 'KYC_KEYS'), pan);
  await sql(`update users set name = 'Asha', email = $2, kyc_hash = $3 where user_id = $1`, [userId, email, hash]);
  stage.clock.advance(200 * DAY);
  const response = await stage.verifyPhone(phone);
  const body = (await response.json()) as { code: string; proof_token: string; proofs: string[] };
  return { phone, userId, response, body, proof_token: body.proof_token };
}

async function loggedInAs(response: Response): Promise<string> {
  expect(response.status).toBe(200);
  expect(cookieSet(response, '__Host-hb_refresh')).toMatch(/^[\w-]{70}$/);
  return subjectOf(((await response.json()) as { jwt: string }).jwt);
}

test('after long inactivity the phone alone shows nothing: no token, no cookie, no name', async () => {
  const { response, body } = await dormant();
  expect(response.status).toBe(403);
  expect(body).toMatchObject({ code: 'second_proof_required', proofs: ['email', 'pan'], expires_in: 600 });
  expect(response.headers.has('set-cookie')).toBe(false);
  expect(JSON.stringify(body)).not.toContain('Asha');
});

test('the email opens the account again, and from then on the phone is enough', async () => {
  const { phone, userId, proof_token } = await dormant();
  expect(await loggedInAs(await prove({ proof_token, email: ' ASHA@example.test ' }))).toBe(userId);
  expect(await subjectOf((await stage.logIn(phone)).jwt)).toBe(userId);
});

test('the PAN opens it too', async () => {
  const { userId, proof_token } = await dormant();
  expect(await loggedInAs(await prove({ proof_token, pan: 'abcpe 1234f' }))).toBe(userId);
});

test('start_clean gives the phone to a new user; the old account keeps everything but the phone', async () => {
  const { phone, userId, proof_token } = await dormant();
  const fresh = await loggedInAs(await prove({ proof_token, start_clean: true }));
  expect(fresh).not.toBe(userId);
  expect(await sql('select phone, email, name from users where user_id = $1', [userId])).toEqual([
    { phone: null, email: 'asha@example.test', name: 'Asha' },
  ]);
  expect(await sql('select phone, email, name from users where user_id = $1', [fresh])).toEqual([
    { phone, email: null, name: null },
  ]);
  expect(await sql(`select action from audit_log where subject = $1`, [`user:${userId}`])).toEqual([
    { action: 'user.phone_released' },
  ]);
  expect((await prove({ proof_token, email: 'asha@example.test' })).status).toBe(400);
});

test('an account that was opened by its proof cannot be left by the same token', async () => {
  const { userId, proof_token } = await dormant();
  await loggedInAs(await prove({ proof_token, email: 'asha@example.test' }));
  expect((await prove({ proof_token, start_clean: true })).status).toBe(400);
  expect(await sql('select phone is not null as kept from users where user_id = $1', [userId])).toEqual([
    { kept: true },
  ]);
});

test('says the same of a wrong email, a wrong PAN, a proof there is none of, and a token that is none', async () => {
  const { proof_token } = await dormant({ pan: null });
  const expired = await dormant();
  stage.clock.advance(600_000);
  const other = await dormant();
  const answers = [];
  for (const body of [
    { proof_token: other.proof_token, email: 'ravi@example.test' },
    { proof_token: other.proof_token, pan: 'ABCPE1234G' },
    { proof_token: other.proof_token, pan: 'nonsense' },
    { proof_token, pan: 'ABCPE1234F' },
    { proof_token: expired.proof_token, email: 'asha@example.test' },
    { proof_token: 'junk', email: 'asha@example.test' },
    { proof_token: (await stage.logIn(freshPhone())).jwt, start_clean: true },
  ]) {
    const response = await prove(body);
    answers.push({ status: response.status, ...((await response.json()) as object), request_id: '' });
  }
  expect(answers[0]).toMatchObject({ status: 400, code: 'proof_invalid' });
  for (const answer of answers) expect(answer).toEqual(answers[0]);
});

test('five tries a day, then the right proof is refused too; starting clean is not', async () => {
  const { proof_token } = await dormant();
  for (let index = 0; index < 5; index++) await prove({ proof_token, email: `guess${index}@example.test` });
  const sixth = await prove({ proof_token, email: 'asha@example.test' });
  expect(sixth.status).toBe(429);
  expect(Number(sixth.headers.get('retry-after'))).toBeGreaterThan(3_600);
  await loggedInAs(await prove({ proof_token, start_clean: true }));
});

test.each([
  ['nothing', {}],
  ['two proofs', { email: 'a@b.c', pan: 'x' }],
  ['start_clean that is false', { start_clean: false }],
  ['an unknown field', { email: 'a@b.c', user_id: 'x' }],
])('%s is 422', async (_, body) => {
  expect((await prove({ proof_token: 'x', ...body })).status).toBe(422);
});

test('who has nothing to protect, was here lately, or was never here logs in by the phone alone', async () => {
  const blank = freshPhone();
  const first = await stage.logIn(blank);
  stage.clock.advance(200 * DAY);
  const again = await stage.logIn(blank);
  expect(await subjectOf(again.jwt)).toBe(
    (await verifyAccessToken(keys, first.jwt, stage.clock.now() - 200 * DAY))?.sub,
  );

  const lately = freshPhone();
  const login = await stage.logIn(lately);
  await sql(`update users set name = 'Ravi' where user_id = $1`, [await subjectOf(login.jwt)]);
  stage.clock.advance(179 * DAY);
  expect((await stage.verifyPhone(lately)).status).toBe(200);

  const never = freshPhone();
  await sql(
    `insert into users (user_id, phone, name, created_at) values (gen_random_uuid(), $1, 'Meera', '2020-01-01')`,
    [never],
  );
  expect((await stage.verifyPhone(never)).status).toBe(200);
});

test('a refresh counts as being here', async () => {
  const phone = freshPhone();
  const login = await stage.logIn(phone);
  await sql(`update users set name = 'Ravi' where user_id = $1`, [await subjectOf(login.jwt)]);
  let token = login.refresh;
  for (let month = 0; month < 8; month++) {
    stage.clock.advance(25 * DAY);
    const headers = { cookie: `__Host-hb_refresh=${token}`, origin: 'https://hissaback.test' };
    const response = await stage.call('POST', '/v1/auth/refresh', undefined, headers);
    token = cookieSet(response, '__Host-hb_refresh') ?? '';
  }
  expect((await stage.verifyPhone(phone)).status).toBe(200);
});

test('the setting decides how long is long', async () => {
  stage.env.RECYCLED_PHONE_DAYS = '10';
  const phone = freshPhone();
  const login = await stage.logIn(phone);
  await sql(`update users set name = 'Ravi' where user_id = $1`, [await subjectOf(login.jwt)]);
  stage.clock.advance(11 * DAY);
  expect((await stage.verifyPhone(phone)).status).toBe(403);
});
