import type { Random } from '../domain/chance.ts';
import { mintUuid } from '../domain/uuid.ts';

/** The caller's `X-Request-Id` if it is 1..64 letters, digits, `.`, `_` and `-`; else a fresh UUID. */
export function requestIdOf(header: string | null | undefined, random: Random): string {
  return header && /^[A-Za-z0-9._-]{1,64}$/.test(header) ? header : mintUuid(random);
}
