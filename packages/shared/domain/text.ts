/** The most that is kept of what somebody sent, as characters: of one value, of a name, of all values. */
export const EVIDENCE = { value: 512, name: 64, fields: 40 } as const;

/**
 * What a stranger sent, in the form in which it is kept as evidence: bounded, well-formed, without the characters that PostgreSQL's jsonb
 * refuses, and without the names in `secrets`.
 */
export function keepAsEvidence(
  raw: Iterable<readonly [string, string]>,
  secrets: readonly string[],
): Record<string, string> {
  const kept: Record<string, string> = {};
  let count = 0;
  for (const [name, value] of raw) {
    if (secrets.includes(name.toLowerCase())) continue;
    if (count++ >= EVIDENCE.fields) break;
    // Cut first: half a character is not storable.
    kept[storable(name.slice(0, EVIDENCE.name))] = storable(value.slice(0, EVIDENCE.value));
  }
  return kept;
}

/** A value for jsonb, with every text in it storable. */
export function storableJson(value: unknown): unknown {
  if (typeof value === 'string') return storable(value);
  if (Array.isArray(value)) return value.map(storableJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [storable(name), storableJson(inner)]));
}

/** The text without what PostgreSQL refuses: lone surrogates and NUL. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}
