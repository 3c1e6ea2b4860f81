import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock, systemRandom } from '@hissaback/shared/domain/chance';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../../tests/support/postgres.ts';
import { REPOSITORY } from '../stack/paths.ts';
import { addOperator } from './add-operator.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());

const chance = { clock: systemClock, random: systemRandom };
const add = (phone: string) => addOperator(database.owner, phone, 'IN', chance);
const sql = (text: string, params: unknown[] = []) =>
  onServer(database.owner, async (client) => (await client.query(text, params)).rows);

test('a new phone becomes a user and an operator, once, and the audit log tells', async () => {
  const first = await add('98765 43210');
  expect(first.isNew).toBe(true);
  expect(await add('+919876543210')).toEqual({ userId: first.userId, isNew: false });
  expect(await sql('select phone from users u join operators o using (user_id)')).toEqual([{ phone: '+919876543210' }]);
  expect(await sql('select actor, action, subject from audit_log')).toEqual([
    { actor: 'installation', action: 'operator.added', subject: `user:${first.userId}` },
  ]);
});

test('someone known becomes an operator under their own id', async () => {
  const id = '0b7c0d3e-5f0a-4c59-9a44-0f3a52d7c001';
  await sql("insert into users (user_id, phone, created_at) values ($1, '+919876500001', now())", [id]);
  expect(await add('+919876500001')).toEqual({ userId: id, isNew: true });
});

test.each(['', 'hello', '+14155550100', '+912222222222'])('%o is refused, and nobody is made', async (phone) => {
  const before = await sql('select count(*) from users');
  await expect(add(phone)).rejects.toThrow('mobile number');
  expect(await sql('select count(*) from users')).toEqual(before);
});

test('no worker may make an operator', async () => {
  for (const url of [database.api, database.webhook, database.payout]) {
    await onServer(url, async (client) => {
      const call = client.query('select add_operator($1, gen_random_uuid(), 1, now())', ['+919876500002']);
      await expect(call).rejects.toMatchObject({ code: '42501' });
      await expect(client.query('set role hissaback_lookup')).rejects.toMatchObject({ code: '42501' });
    });
  }
});

test('the command says what it did, and fails with a reason', async () => {
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [join(REPOSITORY, 'scripts/operator-add.ts'), ...args], {
      env: { ...process.env, DATABASE_URL: database.owner },
    });
  expect((await run('--phone', '+919876500003')).stdout).toMatch(/^[\w-]{36} is an operator now/);
  await expect(run()).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('--phone') });
  await expect(run('--phone', 'x')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('mobile number'),
  });
});
