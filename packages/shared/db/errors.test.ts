import { describe, expect, test } from 'vitest';
import { isConnectionLoss, isRetryable, sqlState } from './errors.ts';

const server = (code: string, severity = 'ERROR'): Error =>
  Object.assign(new Error('said the server'), { code, severity });
const wrapped = (cause: unknown): Error => new Error('said a library', { cause });

test('an SQLSTATE is found through the causes, and a system’s error code is none', () => {
  expect(sqlState(wrapped(wrapped(server('23505'))))).toBe('23505');
  expect(sqlState(Object.assign(new Error('refused'), { code: 'EPIPE' }))).toBeUndefined();
  expect(sqlState('text')).toBeUndefined();
});

test('only a serialisation failure and a deadlock are retried', () => {
  expect(['40001', '40P01', '40002', '23505', '57014'].map((code) => isRetryable(wrapped(server(code))))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

describe('an answer leaves the outcome of COMMIT open', () => {
  test.each([
    ['a socket’s end', new Error('Connection terminated unexpectedly'), true],
    ['a FATAL answer', server('57P01', 'FATAL'), true],
    ['a failed connection', server('08006'), true],
    ['the pooler’s own failure', server('58000'), true],
    ['a refused constraint', server('23505'), false],
    ['a cancelled statement', server('57014'), false],
  ])('%s: %#', (_name, error, open) => {
    expect(isConnectionLoss(error)).toBe(open);
  });
});
