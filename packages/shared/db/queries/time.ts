/** SQL: a timestamptz as microseconds since the Unix epoch, BIGINT. PostgreSQL's times are finer than a Date, and a cursor must not round. */
export function microsecondsOf(column: string): string {
  return `(extract(epoch from ${column}) * 1000000)::bigint`;
}

/** SQL: the timestamptz behind such microseconds. `parameter` is a placeholder such as `$3`. */
export function fromMicroseconds(parameter: string): string {
  return `(timestamptz 'epoch' + ${parameter}::bigint * interval '1 microsecond')`;
}
