import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsvError, CsvReader, type CsvRecord } from './csv.ts';

/** Reads a text in pieces that end at the given places. */
function read(text: string, cuts: readonly number[] = []): CsvRecord[] {
  const reader = new CsvReader(1_000);
  const rows: CsvRecord[] = [];
  let from = 0;
  for (const cut of [...cuts.filter((at) => at < text.length).toSorted((a, b) => a - b), text.length]) {
    rows.push(...reader.push(text.slice(from, cut)));
    from = cut;
  }
  rows.push(...reader.end());
  return rows;
}
const fields = (text: string): string[][] => read(text).map((row) => row.fields);

const write = (rows: readonly string[][], end: string): string =>
  rows.map((row) => row.map((field) => `"${field.replaceAll('"', '""')}"`).join(',')).join(end);

describe('a CSV text', () => {
  test.each([
    [
      'a,b\nc,d\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a,b\r\nc,d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['a,,\n', [['a', '', '']]],
    [',\n', [['', '']]],
    ['"a,1","b ""x""","c\r\nd"\n', [['a,1', 'b "x"', 'c\r\nd']]],
    ['\n\r\na\n\n', [['a']]],
    ['a"b,c"d"\n', [['a"b', 'c"d"']]],
    ['"a"b,"c"\r\n', [['ab', 'c']]],
    ['""\n"",""', [['', '']]],
    ['', []],
  ])('%j', (text, rows) => {
    expect(fields(text)).toEqual(rows);
  });

  test('names the line on which each row begins, across empty lines and quoted line breaks', () => {
    expect(read('a\n\n"b\r\nb\n"\r\nc').map(({ line }) => line)).toEqual([1, 3, 6]);
  });

  test('comes out as it was written, wherever its pieces end', () => {
    const row = fc.array(fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'é') }), {
      minLength: 2,
      maxLength: 4,
    });
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 5 }),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat(120), { maxLength: 6 }),
        (rows, end, cuts) => {
          expect(read(write(rows, end), cuts).map((record) => record.fields)).toEqual(rows);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('with a quote that is never closed, or a row that is too long, ends with the line it began on', () => {
    expect(() => read('a\n"b\nc')).toThrow(new CsvError(2, 'a quote is never closed'));
    expect(() => read(`a\n${'x'.repeat(1_001)}`)).toThrow(/more than 1000 characters/);
    expect(() => read(`a\n"${'x\n'.repeat(600)}"`)).toThrow(expect.objectContaining({ line: 2 }));
  });
});
