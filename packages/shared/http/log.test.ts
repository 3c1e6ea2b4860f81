import { expect, test } from 'vitest';
import { fixedClock } from '../domain/chance.fake.ts';
import { createLog, type LogFields } from './log.ts';

function line(fields: LogFields): string {
  const lines: string[] = [];
  const clock = fixedClock('2026-11-02T10:00:00Z');
  createLog({ clock, service: 'api', requestId: 'r1', write: (text) => lines.push(text) }).info('thing_done', fields);
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
}

test('an event is one JSON line with time, level, service, request id and its fields', () => {
  expect(JSON.parse(line({ count: 3, id: 12n, text: 'a\nb', nothing: null }))).toEqual({
    at: '2026-11-02T10:00:00.000Z',
    level: 'info',
    service: 'api',
    event: 'thing_done',
    request_id: 'r1',
    count: 3,
    id: '12',
    text: 'a\nb',
    nothing: null,
  });
  expect(line({ text: 'a\nb' })).not.toContain('\n');
});

test.each([
  ['a phone', 'no user +919876543210 there'],
  ['a phone without plus', 'mobile 919876543210'],
  ['a national phone', 'mobile 9876543210'],
  ['a token', 'Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'],
])('%s is struck out of texts, objects and errors', (_, secret) => {
  for (const fields of [{ text: secret }, { object: { deep: [secret] } }, { error: new Error(secret) }]) {
    const text = line(fields);
    expect(text).not.toMatch(/9876543210|c2lnbmF0dXJl/);
  }
});

test('ids are left as they are', () => {
  const fields = { click: '389274619283746192', uuid: '0b7c0d3e-5f0a-4c59-9a44-0f3a52d7c001' };
  expect(JSON.parse(line(fields))).toMatchObject(fields);
});

test('a long text is cut', () => {
  expect(line({ text: 'x'.repeat(10_000) }).length).toBeLessThan(1_000);
});
