import type { EventSource, PostbackMessage } from '../contracts/postback-message.ts';
import { parseNetworkAmount } from './money.ts';
import { readNetworkRow, readPostback } from './postback.ts';

/** What an operator or a claim says in place of an unmatched postback's own words. `click` is a bare click id or a click reference of ours. */
export type Assignment = {
  click: string;
  offer_id?: string;
  sale_amount?: string;
  payout?: string;
  txn_id?: string;
  status?: string;
};

type Raw = Readonly<Record<string, string>>;

/** Words that a postback may lack. */
const OPTIONAL = ['txn_id', 'payout', 'currency', 'goal_id', 'country'] as const;

/**
 * The words of an unmatched postback with an assignment in their place, in the form of their source: our click is `click_id` in a postback and `p1`
 * in the network's list, the offer `offer_id` or `campaign_id`. A postback becomes the operator's, who may raise what holds (money rule 4). What a postback
 * may lack and the network left empty or as a macro is left out: a person has read it.
 */
export function assigned(
  raw: Raw,
  source: EventSource,
  assignment: Assignment,
): { raw: Record<string, string>; source: EventSource } {
  const { click, offer_id, ...corrections } = assignment;
  const isPostback = source === 'postback' || source === 'operator';
  const words: Record<string, string> = { ...raw };
  if (isPostback) for (const name of OPTIONAL) if (/^\s*$|[{}]/.test(words[name] ?? '')) delete words[name];
  return {
    raw: {
      ...words,
      ...corrections,
      ...(offer_id !== undefined && { [isPostback ? 'offer_id' : 'campaign_id']: offer_id }),
      [isPostback ? 'click_id' : 'p1']: click,
    },
    source: isPostback ? 'operator' : source,
  };
}

/** Why the words could not be a conversion even so; null if they can. */
export function refusalOfAssigned(raw: Raw, source: EventSource): string | null {
  const reading = source === 'postback' || source === 'operator' ? readPostback(raw) : readNetworkRow(raw);
  return reading.ok ? null : reading.reason;
}

/** The member of an assignment that would put right what `refusalOfAssigned` said of these words. */
export function memberToCorrect(raw: Raw, reason: string): string {
  const isMacro = (name: string): boolean => /[{}]/.test(raw[name] ?? '');
  const isAmount = (name: string): boolean => parseNetworkAmount(raw[name]?.trim() ?? '') !== null;
  switch (reason) {
    case 'bad_offer':
      return 'offer_id';
    case 'bad_status':
      return 'status';
    case 'bad_amount':
      return raw.payout !== undefined && isAmount('sale_amount') && !isAmount('payout') ? 'payout' : 'sale_amount';
    case 'bad_id':
      return 'txn_id';
    case 'unsubstituted_macro':
      return ['offer_id', 'sale_amount', 'status', 'payout', 'txn_id'].find(isMacro) ?? 'click_id';
    default:
      return 'click_id';
  }
}

/** An unmatched postback, as far as trying it again needs it. */
export type Waiting = { unmatched_id: bigint; raw: Raw; source: EventSource; assignment: Assignment | null };

/** The message that takes an unmatched postback to the ledger consumer again, under its own id. */
export function messageAgain(row: Waiting): PostbackMessage {
  const said = row.assignment === null ? row : assigned(row.raw, row.source, row.assignment);
  return { kind: 'event', postback_id: String(row.unmatched_id), source: said.source, raw: { ...said.raw } };
}
