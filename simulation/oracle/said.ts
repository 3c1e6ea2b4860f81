import { inHundredths } from '../world.ts';

/** A click as a reference names it. */
export type ClickName = { readonly clickId: bigint; readonly linkId: string; readonly visitorId: string | null };

export type Status = 'pending' | 'approved' | 'cancelled' | 'rejected';

/** What a message on the postback queue says, as the model reads it. Paise; milliseconds since the Unix epoch. */
export type Said = {
  readonly postbackId: bigint;
  readonly receivedAt: number;
  readonly source: string;
  /** Null: it names no click. */
  readonly click:
    | { readonly kind: 'reference'; readonly name: ClickName }
    | { readonly kind: 'bare'; readonly id: bigint }
    | null;
  readonly clickId: bigint | null;
  readonly offerId: number;
  readonly status: Status;
  readonly amount: bigint | null;
  readonly payout: bigint | null;
  readonly orderId: string | null;
  readonly networkId: string | null;
  readonly goal: string | null;
  readonly currency: string | null;
  readonly country: string | null;
  readonly occurredAt: number | null;
  readonly publisherId: string | null;
};
export type Ignored = { readonly postbackId: bigint; readonly ignored: true };

export type EventMessage = {
  readonly kind: string;
  readonly postback_id: string;
  readonly source: string;
  readonly raw: Readonly<Record<string, string>>;
};

/** The time inside an id: milliseconds since the Unix epoch. */
export function timeOf(id: bigint): number {
  return Number(id / 4_194_304n) + Date.UTC(2024, 0, 1);
}

/** Reads a message; `references` are all that were ever handed out. */
export function readMessage(message: EventMessage, references: ReadonlyMap<string, ClickName>): Said | Ignored {
  const postbackId = BigInt(message.postback_id);
  const { raw, source } = message;
  const isPostback = source === 'postback' || source === 'operator';
  const text = (name: string): string | null => (raw[name] === undefined || raw[name] === '' ? null : raw[name]);
  const named = isPostback ? text('click_id') : text('p1');
  const amount = text('sale_amount');
  const hasMacro = Object.values(raw).some((value) => /[{}]/.test(value));
  if (hasMacro || (isPostback && (named === null || amount === null))) return { postbackId, ignored: true };
  const receivedAt = timeOf(postbackId);
  let click: Said['click'] = null;
  const reference = named === null ? undefined : references.get(named);
  if (reference !== undefined) click = { kind: 'reference', name: reference };
  else if (named !== null && /^[1-9][0-9]{0,18}$/.test(named)) click = { kind: 'bare', id: BigInt(named) };
  else if (isPostback) return { postbackId, ignored: true };
  const payout = text('payout');
  const created = text('created');
  return {
    postbackId,
    receivedAt,
    source,
    click,
    clickId: click === null ? null : click.kind === 'bare' ? click.id : click.name.clickId,
    offerId: Number(isPostback ? raw.offer_id : raw.campaign_id),
    status: raw.status as Status,
    amount: amount === null ? null : inHundredths(amount),
    payout: payout === null ? null : inHundredths(payout),
    orderId: text('txn_id'),
    networkId: text('_id'),
    goal: text('goal_id'),
    currency: text('currency'),
    country: text('country'),
    occurredAt: isPostback || created === null ? null : Date.parse(created),
    publisherId: isPostback ? null : text('publisher_id'),
  };
}
