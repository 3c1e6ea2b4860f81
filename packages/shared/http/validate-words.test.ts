import { expect, test } from 'vitest';
import { z } from 'zod';
import { ProblemError } from './problem.ts';
import { parseInput } from './validate.ts';

const schema = z.strictObject({
  id: z.guid(),
  name: z.string().min(1).max(5),
  count: z.int().min(1).max(9),
  kind: z.enum(['a', 'b']),
  rows: z.array(z.string()).min(1).max(2),
  at: z.iso.datetime(),
  code: z.string().regex(/^\d{6}$/),
  own: z.string().regex(/^x$/, { message: 'Must be x' }),
  either: z.union([z.string(), z.number()]),
});
const right = {
  ...{ id: '7b0c2a8e-3f10-4a3a-9b57-0d4a5be3c001', name: 'n', count: 1, kind: 'a', rows: ['r'] },
  ...{ at: '2026-11-30T18:30:00Z', code: '123456', own: 'x', either: 1 },
};

function said(change: Record<string, unknown>): string[] {
  try {
    parseInput(schema, { ...right, ...change });
    return [];
  } catch (error) {
    return error instanceof ProblemError ? (error.errors ?? []).map(({ message }) => message) : [String(error)];
  }
}

test.each<[Record<string, unknown>, string]>([
  [{ id: undefined }, 'Is missing'],
  [{ either: undefined }, 'Is missing'],
  [{ id: 'x' }, 'Must be an id'],
  [{ name: null }, 'Must be a text'],
  [{ name: '' }, 'May not be empty'],
  [{ name: '123456' }, 'May have at most 5 characters'],
  [{ count: '1' }, 'Must be a number'],
  [{ count: 0 }, 'Must be 1 or more'],
  [{ count: 10 }, 'Must be 9 or less'],
  [{ count: 1.5 }, 'Must be a whole number'],
  [{ kind: 'c' }, 'Must be one of a, b'],
  [{ rows: [] }, 'May not be empty'],
  [{ rows: ['a', 'b', 'c'] }, 'May have at most 2 entries'],
  [{ at: 'yesterday' }, 'Must be a time such as 2026-11-30T18:30:00Z'],
  [{ code: '12' }, 'Must be of the form that the API describes'],
  [{ own: 'y' }, 'Must be x'],
  [{ either: null }, 'Must be of a type that the API describes'],
  [{ unknown: 1 }, 'Unknown field'],
])('%j is told in words for people', (change, words) => {
  expect(said(change)).toEqual([words]);
});
