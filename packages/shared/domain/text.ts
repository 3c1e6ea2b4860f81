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
    kept[storable(name).slice(0, EVIDENCE.name)] = storable(value).slice(0, EVIDENCE.value);
  }
  return kept;
}

function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}
