import type { Clock, Random } from '@hissaback/shared/domain/chance';
import { mintId } from '@hissaback/shared/domain/click-id';
import { parseCountries, parsePhone } from '@hissaback/shared/domain/phone';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import pg from 'pg';

/**
 * Makes the holder of a phone an operator. No worker's role may do this: it takes an administrator of the database, who steps into the one role that owns the
 * function.
 *
 * @param databaseUrl an administrator's, who ran the migrations
 * @param countries as in OTP_COUNTRIES
 * @throws Error for what is no mobile number of these countries
 */
export async function addOperator(
  databaseUrl: string,
  phone: string,
  countries: string,
  { clock, random }: { clock: Clock; random: Random },
): Promise<{ userId: string; isNew: boolean }> {
  const parsed = parsePhone(phone, parseCountries(countries));
  if (!parsed.ok) throw new Error(`not a mobile number of ${countries}, so nobody could log in with it`);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('set role hissaback_lookup');
    const { rows } = await client.query<{ user_id: string; is_new: boolean }>(
      'select user_id, is_new from add_operator($1, $2, $3, $4)',
      [parsed.e164, mintUuid(random), String(mintId(clock, random)), new Date(clock.now())],
    );
    const [row] = rows;
    if (row === undefined) throw new Error('add_operator returned nothing');
    return { userId: row.user_id, isNew: row.is_new };
  } finally {
    await client.end();
  }
}
