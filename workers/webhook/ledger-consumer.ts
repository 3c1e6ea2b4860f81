import {
  type FraudFacts,
  loadConversionsById,
  loadOffers,
  lockAndLoadFacts,
  lockAndLookUp,
  type OrderKey,
  orderKeyText,
} from '@hissaback/shared/db/queries/intake';
import { writeIntake } from '@hissaback/shared/db/queries/intake-write';
import { lockPayees, tellPaid, writeSettlement } from '@hissaback/shared/db/queries/payee-accounts';
import type { Tx } from '@hissaback/shared/db/types';
import type { Conversion } from '@hissaback/shared/domain/conversion';
import { type ClickContext, type Offer, occurredAt } from '@hissaback/shared/domain/intake';
import { movesOf, rewardsOf, settle } from '@hissaback/shared/domain/settlement';
import {
  type Ignored,
  IntakeBatch,
  type IntakeContext,
  type IntakeCounts,
  orderOf,
  type Taken,
} from './intake-batch.ts';
import { judgeAgain } from './late-clicks.ts';

const DAY_MS = 86_400_000;

/**
 * Takes a batch of events into the books, inside one transaction and in a number of statements that does not grow with the batch
 * (architecture, flow 5; money rules 1 to 6). Doing it again changes nothing: an event that was taken is skipped by its row in `postbacks`.
 */
export async function takeEvents(
  tx: Tx,
  batch: { events: readonly Taken[]; ignored: readonly Ignored[] },
  context: IntakeContext,
): Promise<IntakeCounts> {
  return (await takeBatch(tx, batch, context)).counts;
}

/** As `takeEvents`; says beside the counts whether a tenant's server is to be told of what was written. */
export async function takeBatch(
  tx: Tx,
  batch: { events: readonly Taken[]; ignored: readonly Ignored[] },
  context: IntakeContext,
): Promise<{ counts: IntakeCounts; isListenedTo: boolean }> {
  // Key order, so that two batches over the same clicks never wait for each other in a circle (money rule 19).
  const events = distinct(batch.events).toSorted(
    (a, b) => compare(clickIdOf(a), clickIdOf(b)) || compare(a.postbackId, b.postbackId),
  );
  const withClick = events.filter((event) => event.click !== null);
  const known = await lockAndLookUp(tx, {
    postbackIds: [...events, ...batch.ignored].map((event) => event.postbackId),
    clicks: withClick.flatMap((event) => (event.click === null ? [] : [event.click])),
    visitorIds: unique(events.map((event) => (event.click?.kind === 'reference' ? event.click.visitorId : null))),
    networkIds: unique(events.map((event) => event.report.networkId)),
    offerIds: unique(events.map((event) => event.report.offerId)),
    publisherIds: unique(events.map((event) => event.report.publisherId)),
  });
  const { taken, offers, publishers } = known;
  const fresh = events.filter((event) => isFresh(event, taken));
  const clickOf = new Map(withClick.map((event, index) => [event.postbackId, known.clicks[index] ?? null]));
  const conversions = await loadConversionsById(tx, known.convIds);
  const others = unique(conversions.map((conversion) => conversion.offerId)).filter((id) => !offers.has(id));
  for (const [id, offer] of await loadOffers(tx, others)) offers.set(id, offer);
  const facts = await factsFor(tx, fresh, clickOf, conversions, offers);
  const intake = new IntakeBatch(context, conversions, offers, publishers, facts);
  for (const event of fresh) intake.take(event, clickOf.get(event.postbackId) ?? null);
  for (const event of distinct(batch.ignored)) if (!taken.has(event.postbackId)) intake.ignore(event);
  const { rows, books } = intake.result();
  const { settled } = books;
  const payees = await lockPayees(tx, movesOf(settled), rewardsOf(settled.map((entry) => entry.conversion)));
  let isListenedTo = false;
  if (rows.postbacks.length > 0) {
    const written = await writeIntake(tx, rows);
    const { clicksRecovered } = written;
    isListenedTo = written.isListenedTo;
    // One of these clicks was being stored at this very moment: its country is known now.
    const overtaken = rows.recovered.map((click) => click.clickId);
    if (clicksRecovered < overtaken.length) await judgeAgain(tx, overtaken, context.now);
  }
  await writeSettlement(tx, payees, settle(payees, settled), context.now);
  // A reward that became smaller may have been paid in full by now, and of one that was more is to be paid (money rule 12).
  const amended = {
    ledIds: settled.flatMap((entry) => entry.row?.ledId ?? []),
    tenantIds: settled.map((entry) => entry.conversion.tenantId),
  };
  await tellPaid(tx, amended, context.now);
  return { counts: intake.counts, isListenedTo };
}

/** A queue may deliver a message twice in one batch; the second copy says nothing new. */
function distinct<T extends { postbackId: bigint }>(messages: readonly T[]): T[] {
  return [...new Map(messages.map((message) => [message.postbackId, message])).values()];
}

/** Not taken yet, or taken without a match and asked again: its click came, or an operator assigned one. */
function isFresh(event: Taken, taken: ReadonlyMap<bigint, string>): boolean {
  const outcome = taken.get(event.postbackId);
  return outcome === undefined || outcome === 'unmatched' || outcome === 'ignored';
}

async function factsFor(
  tx: Tx,
  events: readonly Taken[],
  clickOf: ReadonlyMap<bigint, ClickContext | null>,
  conversions: readonly Conversion[],
  offers: ReadonlyMap<number, Offer>,
): Promise<FraudFacts> {
  const contexts = events.flatMap((event) => clickOf.get(event.postbackId) ?? []);
  const userIds = unique(contexts.map((click) => click.userId));
  const visitorIds = unique(contexts.map((click) => (click.userId === null ? click.visitorId : null)));
  const orders = new Map<string, OrderKey>();
  const want = (offerId: number, orderId: string | null): void => {
    const order = orderOf(offers.get(offerId), orderId);
    if (order !== null) orders.set(orderKeyText(order), order);
  };
  for (const event of events) want(event.report.offerId, event.report.txnId);
  for (const conversion of conversions) want(conversion.offerId, conversion.txnId);
  const times = events.map(occurredAt);
  const longestWindowMs = 7 * DAY_MS;
  return lockAndLoadFacts(tx, {
    keys: [...[...userIds, ...visitorIds].map((id) => `shopper:${id}`), ...orders.keys()],
    userIds,
    visitorIds,
    from: times.length === 0 ? 0 : Math.min(...times) - longestWindowMs,
    to: times.length === 0 ? 0 : Math.max(...times) + longestWindowMs,
    pairs: contexts.flatMap((click) =>
      click.userId === null ? [] : [{ tenantId: click.tenantId, userId: click.userId }],
    ),
    orders: [...orders.values()],
    tenantIds: unique(contexts.map((click) => click.tenantId)),
  });
}

function compare(a: bigint | null, b: bigint | null): number {
  const left = a ?? 0n;
  const right = b ?? 0n;
  return left < right ? -1 : left > right ? 1 : 0;
}

function unique<T>(values: readonly (T | null)[]): T[] {
  return [...new Set(values.filter((value) => value !== null))];
}

function clickIdOf(event: Taken): bigint | null {
  return event.click?.clickId ?? null;
}
