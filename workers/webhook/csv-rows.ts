import { CsvError, CsvReader } from '@hissaback/shared/domain/csv';

/** A row of a CSV file by its columns, with the line it begins on; `problem` says why it cannot be read. */
export type CsvRow = { line: number; values: Record<string, string>; problem: string | null };

/** The longest row, in characters. */
const LONGEST_ROW = 16_384;
const MOST_COLUMNS = 100;
const BROKEN = 'the compressed file is broken';

/**
 * Reads a CSV file row by row as it arrives, holding one piece of it at a time. It may be compressed with gzip. The first row names the columns; `needed` are
 * those that must be there.
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
  const { first, bytes, isPacked } = await unpacked(body);
  // A BOM at the beginning is left out by the decoder.
  const decoder = new TextDecoder(encodingOf(first));
  const reader = bytes.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      yield* csv.push(decoder.decode(value, { stream: !done }));
      if (done) break;
    }
    yield* csv.end();
  } catch (error) {
    // What a DecompressionStream throws at bytes that are no gzip.
    if (isPacked && error instanceof TypeError) throw new CsvError(csv.line, BROKEN);
    throw error;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The file's bytes, decompressed if they are gzip, and its first two. */
async function unpacked(
  body: ReadableStream<Uint8Array>,
): Promise<{ first: Uint8Array; bytes: ReadableStream<Uint8Array>; isPacked: boolean }> {
  const peeked = await peek(body);
  const isPacked = peeked.first[0] === 0x1f && peeked.first[1] === 0x8b;
  if (!isPacked) return { ...peeked, isPacked };
  try {
    return { ...(await peek(peeked.bytes.pipeThrough(new DecompressionStream('gzip')))), isPacked };
  } catch {
    throw new CsvError(1, BROKEN);
  }
}

/** Looks at the first two bytes without taking them out of the stream. */
async function peek(
  body: ReadableStream<Uint8Array>,
): Promise<{ first: Uint8Array; bytes: ReadableStream<Uint8Array> }> {
  const reader = body.getReader();
  const taken: Uint8Array[] = [];
  const first: number[] = [];
  while (first.length < 2) {
    const { done, value } = await reader.read();
    if (done) break;
    taken.push(value);
    first.push(...value.subarray(0, 2 - first.length));
  }
  const bytes = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = taken.shift();
      if (next !== undefined) {
        controller.enqueue(next);
        return;
      }
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { first: Uint8Array.from(first), bytes };
}

/** What a spreadsheet's byte order mark says; UTF-8 without one. */
function encodingOf(first: Uint8Array): string {
  if (first[0] === 0xff && first[1] === 0xfe) return 'utf-16le';
  return first[0] === 0xfe && first[1] === 0xff ? 'utf-16be' : 'utf-8';
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
  return { values, problem: problemOf(columns, fields) };
}

function problemOf(columns: readonly string[], fields: readonly string[]): string | null {
  if (fields.length !== columns.length) return `has ${fields.length} fields instead of ${columns.length}`;
  // What the decoder puts in place of bytes that it cannot read: two different order ids could look alike.
  return fields.some((field) => field.includes('\uFFFD')) ? 'is not in UTF-8' : null;
}
