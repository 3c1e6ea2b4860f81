import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { INVARIANTS } from '@hissaback/shared/db/queries/audit';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../tests/support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());

/** The command's exit code and all that it said. */
function audit(url: string): Promise<{ code: number; said: string }> {
  const args = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'audit.ts'), '--url', url];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, said: `${stdout}${stderr}` }),
    );
  });
}

it('npm run audit ends with 0 on clean books, and says so of every invariant', async () => {
  const { code, said } = await audit(database.owner);
  expect([code, said.match(/^ok /gm)?.length, said.includes('BROKEN')]).toEqual([0, INVARIANTS.length, false]);
});

it('npm run audit ends with 1 on a breach, and names the invariant and the rows', async () => {
  await onServer(database.owner, async (client) => {
    await client.query('set session_replication_role = replica');
    await client.query(
      `insert into journal_entries (event_id, account, amount, currency, tenant_id, kind, created_at)
       values ('c7.accrual', 'fee:t', 5, 'INR', gen_random_uuid(), 'accrual', '2026-01-01')`,
    );
  });
  const { code, said } = await audit(database.owner);
  expect(code).toBe(1);
  expect(said).toMatch(/^BROKEN +I1 .*\n +c7\.accrual INR$/m);
  expect(said).toContain(`1 of ${INVARIANTS.length} invariants are broken`);
});

it('npm run audit ends with 2 when it cannot ask', async () => {
  expect((await audit('postgres://nobody@127.0.0.1:1/none')).code).toBe(2);
});
