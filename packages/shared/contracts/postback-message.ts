/**
 * What travels through the queue `postbacks`, as JSON.
 * - `event`: something the network said about a conversion; `raw` is exactly what it said, as text.
 * - `ignored`: a postback that cannot be a conversion; it is kept as evidence.
 * - `claim`: a visitor was bound to a shopper at login; its waiting rewards are theirs.
 * - `missing_cashback`: a shopper says that a reward is missing, or an operator decided about it; the claim is a row.
 */
export type PostbackMessage =
  | {
      kind: 'event';
      /** BIGINT in decimal digits; the time it reached us is in it. */
      postback_id: string;
      source: EventSource;
      raw: Record<string, string>;
    }
  | { kind: 'ignored'; postback_id: string; source: EventSource; raw: Record<string, string>; reason: string }
  | { kind: 'claim'; visitor_id: string; user_id: string }
  | { kind: 'missing_cashback'; claim_id: string };

/** Who told us: the postback itself, the daily poll or CSV, an operator. All but the postback may raise what held before. */
export const EVENT_SOURCES = ['postback', 'poll', 'csv', 'operator'] as const;
export type EventSource = (typeof EVENT_SOURCES)[number];

/** The message in a queue's body, or null if it is none of ours. Never throws. */
export function parsePostbackMessage(body: unknown): PostbackMessage | null {
  if (typeof body !== 'object' || body === null) return null;
  const value = body as Readonly<Record<string, unknown>>;
  if (value.kind === 'claim') {
    const { visitor_id, user_id } = value;
    return typeof visitor_id === 'string' && typeof user_id === 'string'
      ? { kind: 'claim', visitor_id, user_id }
      : null;
  }
  if (value.kind === 'missing_cashback')
    return typeof value.claim_id === 'string' ? { kind: 'missing_cashback', claim_id: value.claim_id } : null;
  const { postback_id } = value;
  const source = EVENT_SOURCES.find((known) => known === value.source);
  if (typeof postback_id !== 'string' || !/^[1-9]\d{0,18}$/.test(postback_id) || source === undefined) return null;
  const raw = textRecord(value.raw);
  if (raw === null) return null;
  if (value.kind === 'event') return { kind: 'event', postback_id, source, raw };
  if (value.kind === 'ignored' && typeof value.reason === 'string')
    return { kind: 'ignored', postback_id, source, raw, reason: value.reason };
  return null;
}

function textRecord(value: unknown): Record<string, string> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')
    ? Object.fromEntries(entries)
    : null;
}
