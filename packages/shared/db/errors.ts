/** The connection was lost at COMMIT: the work may or may not stand. Do it again only where a unique key makes that harmless. */
export class AmbiguousCommitError extends Error {
  override readonly name = 'AmbiguousCommitError';
}

/** The work swallowed a failed statement: PostgreSQL rolled everything back although COMMIT was asked for. */
export class TransactionAbortedError extends Error {
  override readonly name = 'TransactionAbortedError';
}

/** A second transaction on one connection, nested or at the same time. */
export class TransactionInProgressError extends Error {
  override readonly name = 'TransactionInProgressError';
}

const SQLSTATE = /^[0-9A-Z]{5}$/;

type ServerError = { code: string; severity: string };

/** What the server said, found through the `cause` of whatever wraps it (Drizzle does). */
function serverError(error: unknown): ServerError | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { code, severity } = current as Error & Partial<ServerError>;
    if (typeof code === 'string' && SQLSTATE.test(code) && typeof severity === 'string') return { code, severity };
  }
  return undefined;
}

/** The SQLSTATE behind an error of a query, e.g. '23505', or undefined if the server never answered. */
export function sqlState(error: unknown): string | undefined {
  return serverError(error)?.code;
}

/** True for a serialisation failure or a deadlock: the whole transaction may be run again (fault 32). */
export function isRetryable(error: unknown): boolean {
  const code = sqlState(error);
  return code === '40001' || code === '40P01';
}

/** True if a lock was not to be had in time: somebody else is at work on the same rows, and nothing is wrong with what was asked for. */
export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === '55P03';
}

/**
 * True if the connection cannot be used any more: no answer of the server, a FATAL one, or a failure of the connection (08), the pooler (58)
 * or a shutdown (57P).
 */
export function isConnectionLoss(error: unknown): boolean {
  const server = serverError(error);
  if (!server) return true;
  return server.severity !== 'ERROR' || /^(08|58|57P)/.test(server.code);
}
