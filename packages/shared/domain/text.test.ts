import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EVIDENCE, keepAsEvidence, storableJson } from './text.ts';

/** What PostgreSQL's jsonb takes: no NUL and no lone surrogate. */
const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

describe('evidence', () => {
  test('is bounded, storable and without secrets, whatever somebody sent', () => {
    const anything = fc.string({ unit: 'binary', maxLength: 700 });
    fc.assert(
      fc.property(fc.array(fc.tuple(anything, anything), { maxLength: 60 }), (raw) => {
        const kept = Object.entries(keepAsEvidence(raw, ['token']));
        expect(kept.length).toBeLessThanOrEqual(EVIDENCE.fields);
        for (const [name, value] of kept) {
          expect(name.length).toBeLessThanOrEqual(EVIDENCE.name);
          expect(value.length).toBeLessThanOrEqual(EVIDENCE.value);
          expect(isStorable(name) && isStorable(value)).toBe(true);
        }
      }),
    );
  });

  test('is never cut in the middle of a character', () => {
    const [[name = '', value = ''] = []] = Object.entries(
      keepAsEvidence([[`${'n'.repeat(63)}😀`, `${'v'.repeat(511)}😀`]], []),
    );
    expect([isStorable(name), isStorable(value)]).toEqual([true, true]);
    expect([name.length, value.length]).toEqual([EVIDENCE.name, EVIDENCE.value]);
  });

  test('leaves a secret out in any letters', () => {
    expect(
      keepAsEvidence(
        [
          ['Token', 's'],
          ['status', 'ok'],
        ],
        ['token'],
      ),
    ).toEqual({ status: 'ok' });
  });
});

describe('a value for jsonb', () => {
  test('stays what it is where it can be stored, and is storable where it could not', () => {
    const plain = { a: [1, true, null, 'text'], b: { c: '₹' } };
    expect(storableJson(plain)).toEqual(plain);
    expect(storableJson({ 'a\0': ['\ud800', { b: 'x\0' }] })).toEqual({ 'a\ufffd': ['\ufffd', { b: 'x\ufffd' }] });
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const text = JSON.stringify(storableJson(value));
        expect(/\\u0000|\\ud[89a-f]/i.test(text.replaceAll('\\\\', ''))).toBe(false);
      }),
    );
  });
});
