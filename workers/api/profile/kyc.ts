import { kyc, profile } from '@hissaback/shared/contracts/profile';
import { profileOf, setKycHash } from '@hissaback/shared/db/queries/profile';
import { withUser } from '@hissaback/shared/db/tenancy';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { hashPan, isPanOf, normalizePan } from '@hissaback/shared/domain/kyc';
import { authenticate } from '@hissaback/shared/http/auth';
import { invalidField, ProblemError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import type { ApiContext } from '../context.ts';
import { jsonInput } from '../http/input.ts';
import { operation } from '../openapi/operation.ts';
import { profileView } from './view.ts';

/**
 * `POST /v1/me/kyc {pan}`: keeps a keyed hash of the PAN, never the PAN. It stays: since it also proves who someone is, another PAN takes an administrator of the database.
 */
export const kycRoute = new Hono<ApiContext>().post(
  '/v1/me/kyc',
  operation({
    id: 'giveKyc',
    summary: 'Give the PAN, of which a keyed hash is kept',
    answer: profile,
    errors: ['conflict', 'not_found'],
  }),
  authenticate(['shopper', 'creator', 'operator']),
  jsonInput(kyc),
  async (c) => {
    const user_id = c.var.principal.sub;
    const pan = normalizePan(c.req.valid('json').check().pan);
    if (pan === null) throw invalidField('pan', 'Not a PAN');
    const ring = keyringFrom(c.env.KYC_KEYS, 'KYC_KEYS');
    const kyc_hash = await hashPan(ring, pan);
    const row = await withUser(c.var.db, user_id, async (tx) => {
      await setKycHash(tx, { user_id, kyc_hash });
      return profileOf(tx, { user_id });
    });
    if (row === null || row.kyc_hash === null) throw new ProblemError('not_found');
    if (!(await isPanOf(ring, pan, row.kyc_hash))) {
      throw new ProblemError('conflict', { detail: 'Another PAN was given before. Ask support to change it.' });
    }
    return c.json(profileView(row));
  },
);
