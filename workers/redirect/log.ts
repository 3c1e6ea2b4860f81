/** One JSON line on the error log. Never pass secrets, addresses or references. */
export function logError(event: string, fields: Readonly<Record<string, string | number>>): void {
  console.error(JSON.stringify({ level: 'error', event, ...fields }));
}
