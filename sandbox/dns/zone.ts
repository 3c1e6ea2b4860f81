import { join } from 'node:path';
import { z } from 'zod';
import { type Journal, openJournal } from '../kit/journal.ts';

/** Record types that the resolver knows, with their numbers on the wire. */
export const TYPES = { A: 1, CNAME: 5, TXT: 16, AAAA: 28 } as const;
export type RecordType = keyof typeof TYPES;

/** All records of one type that a name has; `values` as a person writes them, a text without quotes. */
export type RecordSet = { name: string; type: RecordType; values: string[]; ttl: number };

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** A name without its trailing dot, in small letters; null if it is none. */
export function nameOf(text: string): string | null {
  const name = text.toLowerCase().replace(/\.$/, '');
  return name.length <= 253 && name.split('.').every((label) => LABEL.test(label)) ? name : null;
}

const name = z.string().transform((text, context) => {
  const normal = nameOf(text);
  if (normal !== null) return normal;
  context.addIssue('not a domain name');
  return z.NEVER;
});

/** What a tester says to set a name's records of a type; without values it has none any more. */
export const recordSet = z.strictObject({
  name,
  type: z.enum(['A', 'CNAME', 'TXT', 'AAAA']).default('TXT'),
  values: z.array(z.string().min(1).max(4000)).max(50),
  ttl: z.number().int().min(0).max(86_400).default(300),
});

/** The records that testers have set; nothing else exists. They outlive the process. */
export class Zone {
  readonly #journal: Journal<RecordSet>;
  readonly #sets = new Map<string, RecordSet>();

  constructor(dir: string) {
    this.#journal = openJournal<RecordSet>(join(dir, 'dns-records.jsonl'));
    for (const set of this.#journal.entries) this.#put(set);
  }

  /** Replaces a name's records of a type. */
  set(set: RecordSet): void {
    this.#journal.append(set);
    this.#put(set);
  }

  find(of: string, type: RecordType): RecordSet | undefined {
    return this.#sets.get(`${of} ${type}`);
  }

  /** True for a name with records of any type, or with names below it that have. */
  exists(of: string): boolean {
    return this.all().some((set) => set.name === of || set.name.endsWith(`.${of}`));
  }

  all(): RecordSet[] {
    return [...this.#sets.values()];
  }

  clear(): void {
    this.#journal.rewrite([]);
    this.#sets.clear();
  }

  close(): void {
    this.#journal.close();
  }

  #put(set: RecordSet): void {
    const key = `${set.name} ${set.type}`;
    if (set.values.length === 0) this.#sets.delete(key);
    else this.#sets.set(key, set);
  }
}
