import { decodeBase64url, encodeBase64url } from '@hissaback/shared/domain/base64url';
import { invalidField } from '@hissaback/shared/http/problem';

/** A cursor is opaque to clients: where the page before ended. */
export function encodeCursor(parts: readonly string[]): string {
  return encodeBase64url(new TextEncoder().encode(parts.join('.')));
}

/**
 * The parts of a cursor of ours.
 *
 * @param shape what each part looks like
 * @throws ProblemError `invalid_field` (422) for anything else
 */
export function decodeCursor(cursor: string, shape: readonly RegExp[]): string[] {
  const bytes = decodeBase64url(cursor);
  const parts = bytes === null ? [] : new TextDecoder().decode(bytes).split('.');
  if (parts.length !== shape.length || !shape.every((pattern, index) => pattern.test(parts[index] ?? ''))) {
    throw invalidField('cursor', 'Must come from the Link header of the page before');
  }
  return parts;
}

/** Microseconds since the Unix epoch, up to the year 2286. */
export const MICROSECONDS = /^\d{1,16}$/;
export const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const BIGINT = /^[1-9]\d{0,17}$/;
export const INT = /^[1-9]\d{0,8}$/;

/** The cursor of a list by creation time and id, if there is one. Throws as `decodeCursor`. */
export function decodeTimeCursor(cursor: string | undefined): { at: bigint; id: string } | undefined {
  if (cursor === undefined) return undefined;
  const [at = '', id = ''] = decodeCursor(cursor, [MICROSECONDS, UUID]);
  return { at: BigInt(at), id };
}

/**
 * Cuts the one row off that was asked for beyond the page, and says where the next page is.
 *
 * @param rows at most `limit + 1` rows
 * @returns the page's rows and the headers that go with them (`Link`, RFC 8288)
 */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  url: string,
  cursorOf: (last: Row) => readonly string[],
): { rows: readonly Row[]; headers: Record<string, string> } {
  const last = rows[limit - 1];
  if (rows.length <= limit || last === undefined) return { rows, headers: {} };
  const next = new URL(url);
  next.searchParams.set('cursor', encodeCursor(cursorOf(last)));
  return { rows: rows.slice(0, limit), headers: { link: `<${next.href}>; rel="next"` } };
}
