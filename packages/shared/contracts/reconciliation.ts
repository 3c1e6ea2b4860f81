import { z } from 'zod';
import { instant, pageQuery, uuid } from './fields.ts';

const days = {
  /** UTC days, both included; the last 30 unless told. */
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
  tenant_id: uuid.optional(),
};

/** `GET /v1/reconciliation/report`. */
export const reconciliationQuery = z.object(days);

/** A day and tenant (null: nobody's) on which our books and the network differed; `open` counts what still does. */
export const reconciliationDay = z.object({
  day: z.iso.date(),
  tenant_id: z.string().nullable(),
  missing_here: z.int(),
  missing_there: z.int(),
  differing: z.int(),
  open: z.int(),
});
export const reconciliationReport = z.array(reconciliationDay);

export const FINDING_KINDS = ['missing_here', 'missing_there', 'differing'] as const;

/** `GET /v1/reconciliation/findings`: single ones, newest first. */
export const findingQuery = z.object({
  ...days,
  kind: z.enum(FINDING_KINDS).optional(),
  open: z.stringbool().optional(),
  ...pageQuery,
});

export const reconciliationFinding = z.object({
  kind: z.enum(FINDING_KINDS),
  tenant_id: z.string().nullable(),
  day: z.iso.date(),
  network_id: z.string().nullable(),
  conv_id: z.string().nullable(),
  offer_id: z.int().nullable(),
  /** What our books said, and what the network did, when it was last seen. */
  here: z.record(z.string(), z.unknown()).nullable(),
  there: z.record(z.string(), z.unknown()).nullable(),
  first_seen: instant,
  last_seen: instant,
  healed_at: instant.nullable(),
});
export const reconciliationFindings = z.array(reconciliationFinding);

/** `POST /v1/reconciliation/imports`: with `dry_run` it is only said what would happen. */
export const importQuery = z.object({ dry_run: z.stringbool().optional() });

/** What became of an import; `complete` is false where the file breaks off, and the last error says at which line. */
export const importReport = z.object({
  import_id: z.string(),
  dry_run: z.boolean(),
  complete: z.boolean(),
  listed: z.int(),
  sent: z.int(),
  known: z.int(),
  failed: z.int(),
  /** The first hundred. */
  errors: z.array(z.object({ line: z.int(), reason: z.string() })),
});

export type ImportAnswer = z.output<typeof importReport>;

/** What the api asks of the webhook worker by service binding: only that one may compare with the books. */
export type ImportCalls = {
  take(body: ReadableStream<Uint8Array>, options: { dryRun: boolean; by: string }): Promise<ImportAnswer>;
};
