import { csvText } from '../domain/csv-text.ts';

/** A table as a file to download. `name` is plain ASCII without its ending. */
export function csvResponse(name: string, header: readonly string[], rows: Parameters<typeof csvText>[1]): Response {
  return new Response(csvText(header, rows), {
    headers: {
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': `attachment; filename="${name}.csv"`,
    },
  });
}
