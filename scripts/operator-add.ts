// npm run operator:add -- --phone +91... : makes the holder of a phone an operator, and the user if there is none. The database is --url, else DATABASE_URL
// (an administrator's), else the running stack's from DATA_DIR/stack.json. OTP_COUNTRIES says whose numbers are taken; it is the api's setting.
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import { addOperator } from './operators/add-operator.ts';
import { dataPaths } from './stack/paths.ts';

function databaseUrl(given: string | undefined): string {
  const named = given ?? process.env.DATABASE_URL;
  if (named) return named;
  const { stackFile } = dataPaths(process.env.DATA_DIR || '.data');
  if (!existsSync(stackFile))
    throw new Error(`no database named: give --url or DATABASE_URL, or start the stack (${stackFile} is not there)`);
  const stack = JSON.parse(readFileSync(stackFile, 'utf8')) as { database: { owner: string } };
  return stack.database.owner;
}

try {
  const { values } = parseArgs({ options: { phone: { type: 'string' }, url: { type: 'string' } } });
  if (!values.phone) throw new Error('say whose phone: npm run operator:add -- --phone +919876543210');
  const countries = process.env.OTP_COUNTRIES || 'IN';
  const chance = { clock: systemClock, random: systemRandom };
  const { userId, isNew } = await addOperator(databaseUrl(values.url), values.phone, countries, chance);
  console.log(isNew ? `${userId} is an operator now: log in with that phone` : `${userId} was an operator already`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
