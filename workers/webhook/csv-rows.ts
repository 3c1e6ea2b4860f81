import { parse } from 'csv-parse/stream';

/** A row of a CSV file by its columns, with the line it begins on; `problem` says why it cannot be read. */
export type CsvRow = { line: number; values: Record<string, string>; problem: string | null };

/** The file ends its reading here: it is no CSV, or a row of it is too long. */
export class CsvError extends Error {
  override readonly name = 'CsvError';
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** The longest row, in bytes. */
const LONGEST_ROW = 16_384;
const MOST_COLUMNS = 100;

/**
 * Reads a CSV file row by row as it arrives, in bounded memory. The first row names the columns; `needed` are those that must be there.
 * @throws CsvError for a file without them, with an unclosed quote or with a row longer than 16 KiB
 */
export async function* csvRows(body: ReadableStream<Uint8Array>, needed: readonly string[]): AsyncGenerator<CsvRow> {
  const options = {
    bom: true,
    info: true,
    max_record_size: LONGEST_ROW,
    relax_column_count: true,
    skip_empty_lines: true,
  };
  const reader = body.pipeThrough(parse(options) as unknown as TransformStream<Uint8Array, Parsed>).getReader();
  let columns: string[] | null = null;
  let lastLine = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const line = lastLine + 1;
      lastLine = value.info.lines;
      if (columns === null) {
        columns = value.record.map((name) => name.trim());
        checkColumns(columns, needed);
      } else yield { line, ...rowOf(columns, value.record) };
    }
  } catch (error) {
    if (error instanceof CsvError) throw error;
    if (isOfParser(error)) throw new CsvError(lastLine + 1, REASONS[error.code] ?? 'this is no CSV');
    throw error;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  if (columns === null) throw new CsvError(1, 'the file is empty');
}

type Parsed = { record: string[]; info: { lines: number } };

const REASONS: Record<string, string> = {
  CSV_MAX_RECORD_SIZE: 'the row is longer than 16 KiB, or a quote is never closed',
  CSV_QUOTE_NOT_CLOSED: 'a quote is never closed',
};

function isOfParser(error: unknown): error is { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('CSV_');
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
