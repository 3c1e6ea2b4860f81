/** One JSON line. Never pass secrets, phone numbers or claim codes. */
export function logEvent(
  level: 'info' | 'error',
  event: string,
  fields: Readonly<Record<string, string | number>> = {},
): void {
  const line = JSON.stringify({ level, worker: 'payout-cron', event, ...fields });
  if (level === 'error') console.error(line);
  else console.log(line);
}

/** What may be said of an error: its name and, from our own code, its message. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 300) : 'unknown';
}
