/** A row of a CSV text, with the line it begins on. */
export type CsvRecord = { line: number; fields: string[] };

/** The text ends being a CSV file here. */
export class CsvError extends Error {
  override readonly name = 'CsvError';
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

/**
 * Reads CSV (RFC 4180) in pieces that may end anywhere, holding no more than one row. Fields in quotes may hold commas, line breaks and doubled quotes;
 * a quote inside a field without quotes is a character. Rows end with LF or CRLF; empty lines are skipped.
 */
export class CsvReader {
  readonly #longestRow: number;
  #fields: string[] = [];
  #field = '';
  #length = 0;
  #state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  /** The character before was a CR outside quotes: with a LF behind it, it is no part of the field. */
  #hadCr = false;
  #line = 1;
  #rowLine = 1;

  /** @param longestRow in characters */
  constructor(longestRow: number) {
    this.#longestRow = longestRow;
  }

  /** The line that is being read. */
  get line(): number {
    return this.#rowLine;
  }

  /**
   * The rows that a further piece completes.
   * @throws CsvError for a row longer than allowed, such as one whose quote is never closed
   */
  *push(text: string): Generator<CsvRecord> {
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (++this.#length > this.#longestRow)
        throw new CsvError(
          this.#rowLine,
          `the row has more than ${this.#longestRow} characters, or a quote is never closed`,
        );
      if (this.#state === 'quoted') {
        if (code === LF) this.#line += 1;
        if (code !== QUOTE) continue;
        this.#field += text.slice(from, at);
        from = at + 1;
        this.#state = 'closed';
        this.#hadCr = false;
        continue;
      }
      if (code === QUOTE && this.#state !== 'plain') {
        // Behind a closing quote it was a doubled one after all.
        from = this.#state === 'closed' ? at : at + 1;
        this.#state = 'quoted';
      } else if (code === COMMA) {
        this.#take(text.slice(from, at));
        from = at + 1;
      } else if (code === LF) {
        this.#take(text.slice(from, at));
        from = at + 1;
        const row = this.#end();
        if (row !== null) yield row;
      } else if (code !== CR) this.#state = 'plain';
      this.#hadCr = code === CR;
    }
    this.#field += text.slice(from);
  }

  /**
   * The last row, if the text does not end with a line break.
   * @throws CsvError for a quote that is never closed
   */
  *end(): Generator<CsvRecord> {
    if (this.#state === 'quoted') throw new CsvError(this.#rowLine, 'a quote is never closed');
    if (this.#length === 0) return;
    this.#take('');
    const row = this.#end();
    if (row !== null) yield row;
  }

  #take(rest: string): void {
    this.#fields.push(this.#field + rest);
    this.#field = '';
    this.#state = 'start';
  }

  #end(): CsvRecord | null {
    const fields = this.#fields;
    if (this.#hadCr) fields[fields.length - 1] = (fields.at(-1) ?? '').slice(0, -1);
    this.#hadCr = false;
    const line = this.#rowLine;
    this.#line += 1;
    this.#rowLine = this.#line;
    this.#fields = [];
    this.#length = 0;
    return fields.length === 1 && fields[0] === '' ? null : { line, fields };
  }
}
