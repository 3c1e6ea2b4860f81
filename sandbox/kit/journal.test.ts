import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openJournal } from './journal.ts';
import { temporaryDirectory } from './testing.ts';

test('entries are on file when append returns, and a line cut short by a crash is dropped', () => {
  const path = join(temporaryDirectory(), 'sub', 'test.jsonl');
  const first = openJournal<number>(path);
  first.append(1);
  expect(readFileSync(path, 'utf8')).toBe('1\n');
  appendFileSync(path, '{"cut');
  first.close();
  const second = openJournal<number>(path);
  second.append(2);
  second.close();
  const third = openJournal<number>(path);
  expect(third.entries).toEqual([1, 2]);
  third.rewrite([3]);
  third.append(4);
  third.close();
  expect(readFileSync(path, 'utf8')).toBe('3\n4\n');
});
