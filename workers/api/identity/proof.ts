import { secondProof } from '@hissaback/shared/contracts/auth';
import { proofsOf, releasePhone } from '@hissaback/shared/db/queries/identity';
import { withUser } from '@hissaback/shared/db/tenancy';
import { mintId } from '@hissaback/shared/domain/click-id';
import { isOneOf } from '@hissaback/shared/domain/constant-time';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { isPanOf, normalizePan } from '@hissaback/shared/domain/kyc';
import { inactiveSince } from '@hissaback/shared/domain/recycled-phone';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { ProblemError } from '@hissaback/shared/http/problem';
import { verifyProofToken } from '@hissaback/shared/http/proof-token';
import { rateLimited } from '@hissaback/shared/http/rate-limit';
import { tokenKeysFrom } from '@hissaback/shared/http/token-keys';
import { parseBody } from '@hissaback/shared/http/validate';
import type { Context } from 'hono';
import type { IdentityEnv } from './env.ts';
import { logIn, recycledPhoneDays } from './login.ts';
import { openSession } from './open-session.ts';

/** Proofs that may be tried for one account in a day, right and wrong alike. */
const TRIES = 5;
const DAY_MS = 86_400_000;

/**
 * `POST /v1/auth/proof`: after `second_proof_required`, the email or the PAN of the account opens it, or `start_clean` leaves it alone and makes a new one for the
 * phone. A wrong proof, an account that has none, a token that is no longer good: one and the same answer.
 */
export async function proof(c: Context<IdentityEnv>) {
  const input = await parseBody(secondProof, c.req.raw);
  const { clock, random, db } = c.var;
  const userId = await verifyProofToken(await tokenKeysFrom(c.env.JWT_KEYS), input.proof_token, clock.now());
  if (userId === null) throw proofInvalid();
  const phone =
    input.start_clean === true ? await startClean(c, userId) : await provenPhone(c, userId, input.email, input.pan);
  if (phone === null) throw proofInvalid();
  return c.json({ jwt: await openSession(c, await logIn(db, phone, clock, random)) }, 200);
}

async function provenPhone(
  c: Context<IdentityEnv>,
  userId: string,
  email: string | undefined,
  pan: string | undefined,
): Promise<string | null> {
  await takeTry(c, userId);
  const known = await withUser(c.var.db, userId, (tx) => proofsOf(tx, userId));
  if (known === null) return null;
  const ring = keyringFrom(c.env.KYC_KEYS, 'KYC_KEYS');
  const normalized = pan === undefined ? null : normalizePan(pan);
  const isEmail = email !== undefined && known.email !== null && (await isOneOf(email, [known.email.toLowerCase()]));
  const isPan = normalized !== null && known.kycHash !== null && (await isPanOf(ring, normalized, known.kycHash));
  return isEmail || isPan ? known.phone : null;
}

/** The phone goes to a new user; the old account keeps what it has, without a phone to log in by. */
async function startClean(c: Context<IdentityEnv>, userId: string): Promise<string | null> {
  const { clock, random, db } = c.var;
  const now = clock.now();
  const newUserId = mintUuid(random);
  const auditId = mintId(clock, random);
  const since = new Date(inactiveSince(now, recycledPhoneDays(c.env)));
  const isReleased = await db.transaction((tx) =>
    releasePhone(tx, { userId, newUserId, auditId, inactiveSince: since, now: new Date(now) }),
  );
  if (!isReleased) return null;
  const fresh = await withUser(db, newUserId, (tx) => proofsOf(tx, newUserId));
  return fresh?.phone ?? null;
}

async function takeTry(c: Context<IdentityEnv>, userId: string): Promise<void> {
  const limit = c.env.LIMIT.get(c.env.LIMIT.idFromName(`proof:${userId}`));
  const answer = await limit.take({ limit: TRIES, windowMs: DAY_MS }, c.var.clock.now());
  if (answer.allowed) return;
  const state = { policy: 'proof', limit: TRIES, window: DAY_MS / 1000, remaining: 0, reset: answer.resetMs / 1000 };
  throw rateLimited(state, 'Too many proofs were tried for this account. Try again tomorrow, or start clean.');
}

function proofInvalid(): ProblemError {
  return new ProblemError('proof_invalid', { detail: 'This proves nothing. Check it, or log in again.' });
}
