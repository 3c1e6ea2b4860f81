import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { readMigrations } from './migrate.ts';

const folders: string[] = [];
function folderWith(...files: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'hissaback-migrations-'));
  folders.push(folder);
  for (const file of files) writeFileSync(join(folder, file), 'select 1;');
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

test('migrations come in the order of their numbers, other files are not read', async () => {
  const found = await readMigrations(folderWith('0002_more.sql', '0001_first.sql', 'README.md'));
  expect(found.map(({ version, file }) => [version, file])).toEqual([
    [1, '0001_first.sql'],
    [2, '0002_more.sql'],
  ]);
  expect(found[0]?.checksum).toMatch(/^[0-9a-f]{64}$/);
});

test.each([
  [['0001_first.sql', '0003_third.sql'], '0003_third.sql: expected number 0002'],
  [['0001_first.sql', '0001_other.sql'], '0001_other.sql: expected number 0002'],
  [['0002_second.sql'], '0002_second.sql: expected number 0001'],
  [['0001_first.sql', '2_second.sql'], '2_second.sql: a migration is named NNNN_name.sql'],
  [['0001-first.sql'], '0001-first.sql: a migration is named NNNN_name.sql'],
])('a gap, a double or a strange name is refused: %j', async (files, message) => {
  await expect(readMigrations(folderWith(...files))).rejects.toThrow(message);
});
