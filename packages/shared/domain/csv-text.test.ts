import { expect, test } from 'vitest';
import { csvText } from './csv-text.ts';

test('a table is a header and its rows, each ended by CRLF', () => {
  expect(
    csvText(
      ['a', 'b'],
      [
        ['x', 1],
        [null, '2.50'],
      ],
    ),
  ).toBe('a,b\r\nx,1\r\n,2.50\r\n');
});

test('commas, quotes and line breaks stay inside their cell', () => {
  expect(csvText(['h'], [['a,b'], ['say "hi"'], ['two\nlines']])).toBe(
    'h\r\n"a,b"\r\n"say ""hi"""\r\n"two\nlines"\r\n',
  );
});

test.each(['=1+1', '+1+1', '-1+1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '-2+cmd|x', '＝1+1', '＠SUM(A1)'])(
  '%j is no formula to a spreadsheet',
  (text) => {
    expect(
      csvText(['h'], [[text]])
        .split('\r\n')
        .slice(1)
        .join('\r\n'),
    ).toMatch(/^"?'/);
  },
);

test('a negative number stays a number', () => {
  expect(csvText(['h'], [['-12.34'], [-5]])).toBe('h\r\n-12.34\r\n-5\r\n');
});
