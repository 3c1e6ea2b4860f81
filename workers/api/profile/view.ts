import { LANGUAGES, type Profile } from '@hissaback/shared/contracts/profile';
import type { ProfileRow } from '@hissaback/shared/db/queries/profile';

/** A person's own profile as the API shows it. */
export function profileView(row: ProfileRow): Profile {
  return {
    user_id: row.user_id,
    phone: row.phone,
    name: row.name,
    email: row.email,
    language: LANGUAGES.find((language) => language === row.language) ?? 'en',
    has_kyc: row.kyc_hash !== null,
    created_at: row.created_at.toISOString(),
    last_login_at: row.last_login_at?.toISOString() ?? null,
  };
}
