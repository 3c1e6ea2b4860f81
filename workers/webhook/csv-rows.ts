import { CsvError, CsvReader } from '@hissaback/shared/domain/csv';

/** A row of a CSV file by its columns, with the line it begins on; `problem` says why it cannot be read. */
export type CsvRow = { line: number; values: Record<string, string>; problem: string | null };

/** The longest row, in characters. */
const LONGEST_ROW = 16_384;
const MOST_COLUMNS = 100;

/**
 * Reads a CSV file row by row as it arrives, holding one piece of it at a time. The first row names the columns; `needed` are those that must be there.
 * @throws CsvError for a file without them, with an unclosed quote or with a row that is too long
 */
export async function* csvRows(body: ReadableStream<Uint8Array>, needed: readonly string[]): AsyncGenerator<CsvRow> {
  let columns: string[] | null = null;
  for await (const { line, fields } of records(body)) {
    if (columns === null) {
      columns = fields.map((name) => name.trim());
      checkColumns(columns, needed);
    } else yield { line, ...rowOf(columns, fields) };
  }
  if (columns === null) throw new CsvError(1, 'the file is empty');
}

async function* records(body: ReadableStream<Uint8Array>): AsyncGenerator<{ line: number; fields: string[] }> {
  const csv = new CsvReader(LONGEST_ROW);
  // A BOM at the beginning is left out by the decoder.
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      yield* csv.push(decoder.decode(value, { stream: !done }));
      if (done) break;
    }
    yield* csv.end();
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function checkColumns(columns: readonly string[], needed: readonly string[]): void {
  const missing = needed.filter((name) => !columns.includes(name));
  if (missing.length > 0) throw new CsvError(1, `the first line names no column ${missing.join(', ')}`);
  if (columns.length > MOST_COLUMNS || new Set(columns).size < columns.length)
    throw new CsvError(1, 'the first line names a column twice, or too many');
}

function rowOf(columns: readonly string[], fields: readonly string[]): Omit<CsvRow, 'line'> {
  const values: Record<string, string> = Object.create(null);
  for (const [index, name] of columns.entries()) values[name] = fields[index] ?? '';
  const problem = fields.length === columns.length ? null : `has ${fields.length} fields instead of ${columns.length}`;
  return { values, problem };
}
