import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import { beginImport, saveImport } from '@hissaback/shared/db/queries/reconciliation';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import type { Deps } from './deps.ts';
import { importCsv } from './import-csv.ts';

/** How often an upload's figures are written down on the way, in batches. */
const SAVE_EVERY = 20;

/** An import's answer; `complete` is false where the file breaks off, and the last error says at which line. */
export type UploadReport = {
  import_id: string;
  dry_run: boolean;
  complete: boolean;
  listed: number;
  sent: number;
  known: number;
  failed: number;
  errors: { line: number; reason: string }[];
};

/**
 * Takes an operator's CSV upload as it streams in. The api asks for it by service binding: only this worker may compare with the books.
 * @param by the operator
 */
export async function takeUpload(
  env: WebhookEnv,
  deps: Deps,
  upload: { body: ReadableStream<Uint8Array>; dryRun: boolean; by: string | null },
): Promise<UploadReport> {
  const db = openDatabase(databaseBinding(env), { random: deps.random });
  try {
    const id = mintUuid(deps.random);
    const { dryRun, by } = upload;
    await db.transaction((tx) =>
      beginImport(tx, { id, source: 'upload', day: null, dryRun, by, at: deps.clock.now() }),
    );
    let batches = 0;
    const report = await importCsv(db, env, deps, upload, async (sofar) => {
      batches += 1;
      if (batches % SAVE_EVERY === 0) await db.transaction((tx) => saveImport(tx, id, sofar, null));
    });
    await db.transaction((tx) => saveImport(tx, id, report, deps.clock.now()));
    const { isWhole, ...figures } = report;
    return { import_id: id, dry_run: dryRun, complete: isWhole, ...figures };
  } finally {
    await db.end();
  }
}
