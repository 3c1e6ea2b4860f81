/** The window of the velocity rule, in milliseconds (the spec's section 10: conversions per user and 24 h). */
export const VELOCITY_WINDOW_MS = 86_400_000;
/** Most entries kept for one shopper; a count that high is beyond every threshold. */
export const VELOCITY_MAX_ENTRIES = 500;

/** One conversion by its identity alias (money rule 19). `at` in milliseconds since the Unix epoch. */
export type VelocityEntry = { alias: string; at: number };

/**
 * Counts a conversion once, however often it is told (money rule 19), and answers how many conversions lie in the 24 hours that end with it, itself included.
 * A known alias keeps its first time. When the memory is full the oldest entry makes room.
 */
export function recordVelocity(
  entries: readonly VelocityEntry[],
  alias: string,
  at: number,
): { entries: readonly VelocityEntry[]; count: number } {
  const known = entries.find((entry) => entry.alias === alias);
  const end = known?.at ?? at;
  const all = known === undefined ? [...entries, { alias, at }].sort((left, right) => left.at - right.at) : entries;
  const count = all.filter((entry) => entry.at > end - VELOCITY_WINDOW_MS && entry.at <= end).length;
  return { entries: all.length > VELOCITY_MAX_ENTRIES ? all.slice(-VELOCITY_MAX_ENTRIES) : all, count };
}

/** The entries that may still matter at `now`; a time more than a day ahead is nobody's. */
export function recentVelocity(entries: readonly VelocityEntry[], now: number): readonly VelocityEntry[] {
  return entries.filter((entry) => Math.abs(entry.at - now) < VELOCITY_WINDOW_MS);
}
