import type { EventSource, PostbackMessage } from '../contracts/postback-message.ts';
import { readNetworkRow, readPostback } from './postback.ts';

/** What an operator or a claim says in place of an unmatched postback's own words. `click` is a bare click id or a click reference of ours. */
export type Assignment = {
  click: string;
  sale_amount?: string;
  payout?: string;
  txn_id?: string;
  status?: string;
};

type Raw = Readonly<Record<string, string>>;

/**
 * The words of an unmatched postback with an assignment in their place, in the form of their source: our click is `click_id` in a postback and `p1`
 * in the network's list. A postback becomes the operator's, who may raise what holds (money rule 4).
 */
export function assigned(
  raw: Raw,
  source: EventSource,
  assignment: Assignment,
): { raw: Record<string, string>; source: EventSource } {
  const { click, ...corrections } = assignment;
  const isPostback = source === 'postback' || source === 'operator';
  return {
    raw: { ...raw, ...corrections, [isPostback ? 'click_id' : 'p1']: click },
    source: isPostback ? 'operator' : source,
  };
}

/** Why the words could not be a conversion even so; null if they can. */
export function refusalOfAssigned(raw: Raw, source: EventSource): string | null {
  const reading = source === 'postback' || source === 'operator' ? readPostback(raw) : readNetworkRow(raw);
  return reading.ok ? null : reading.reason;
}

/** An unmatched postback, as far as trying it again needs it. */
export type Waiting = { unmatched_id: bigint; raw: Raw; source: EventSource; assignment: Assignment | null };

/** The message that takes an unmatched postback to the ledger consumer again, under its own id. */
export function messageAgain(row: Waiting): PostbackMessage {
  const said = row.assignment === null ? row : assigned(row.raw, row.source, row.assignment);
  return { kind: 'event', postback_id: String(row.unmatched_id), source: said.source, raw: { ...said.raw } };
}
