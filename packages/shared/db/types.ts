import type { NodePgTransaction } from 'drizzle-orm/node-postgres';

/** Rows as the client's type parsers made them: int8 -> bigint, numeric and date -> string, timestamptz -> Date. */
export type QueryResult<Row> = { rows: Row[]; rowCount: number };

/** Drizzle on a transaction's own connection; its `transaction` makes a savepoint. */
export type Orm = NodePgTransaction<Record<string, never>, Record<string, never>>;

/** An open transaction. It refuses every query once its work has ended. */
export type Tx = {
  /** Runs one statement; bigint, Date and arrays of them are accepted as parameters. */
  query<Row>(text: string, params?: readonly unknown[]): Promise<QueryResult<Row>>;
  readonly orm: Orm;
};

/** The keys that row-level security reads; each is a UUID in canonical form. */
export type Identity = { tenant?: string; user?: string; operator?: string };

export type TransactionOptions = {
  /** How often the whole work is run again after a serialisation failure or a deadlock. Default 5. */
  retries?: number;
  /** Milliseconds a statement may take. Default 10,000. */
  statementTimeoutMs?: number;
  /** Who asks. Only the doors of tenancy.ts set it. */
  identity?: Identity;
};

/** One connection, opened at its first transaction, for one request or one batch. */
export type Database = {
  /**
   * Runs `work` between BEGIN and COMMIT, and again from its beginning on SQLSTATE 40001 and 40P01: it must have no effect outside the database.
   * Throws AmbiguousCommitError if the connection was lost at COMMIT, TransactionAbortedError if `work` hid an error, TransactionInProgressError
   * if another transaction of this Database is still open.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Closes the connection. Never throws; no transaction can be opened afterwards. */
  end(): Promise<void>;
};
