import { z } from 'zod';
import type { BoundedList } from '../kit/bounded.ts';
import { fromMinor, toMinor } from '../kit/decimal.ts';
import { controlled, type FaultQueue, faultRoutes } from '../kit/faults.ts';
import { json, type Routes } from '../kit/http.ts';
import type { Card, CardBook } from './cards.ts';
import type { Operation } from './errors.ts';
import { type AgcodFault, agcodFault } from './faults.ts';
import type { Credentials } from './signature.ts';

/** One call as the control interface lists it. */
export type CallRecord = {
  op: Operation;
  creationRequestId: string | null;
  amount: string | null;
  at: string;
  outcome: string;
};

/** What the control interface reaches into. */
export type Controlled = {
  faults: FaultQueue<AgcodFault>;
  calls: BoundedList<CallRecord>;
  book: CardBook;
  /** The cards' time, ms epoch. */
  now(): number;
  moveClock(scope: 'service' | 'cards', offsetMs: number): { service: number; cards: number };
  rotate(credentials: Credentials): void;
  reset(): void;
};

const decimal = z.union([z.string(), z.number()]).transform((given, context) => {
  const minor = toMinor(String(given));
  if (minor !== undefined) return minor;
  context.addIssue({ code: 'custom', message: 'not a decimal amount' });
  return z.NEVER;
});
const fundsChange = z.strictObject({ amount: decimal });
const clockChange = z.strictObject({
  offset_ms: z.number().int().min(-1e12).max(1e12),
  scope: z.enum(['service', 'cards']).default('service'),
});
const rotation = z.strictObject({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) });

/** The interface under /__control/ through which tests look in and make trouble. */
export function controlRoutes({ faults, calls, book, now, moveClock, rotate, reset }: Controlled): Routes {
  return {
    ...faultRoutes(faults, agcodFault),
    'GET /__control/cards': ({ url }) => {
      const wanted = url.searchParams.get('creationRequestId');
      const cards = book.all().filter((card) => wanted === null || card.creationRequestId === wanted);
      return json(200, { cards: cards.map(listed), total: book.size, funds: fromMinor(book.funds) });
    },
    'GET /__control/calls': () => json(200, { calls: calls.all() }),
    'POST /__control/funds': ({ body }) =>
      controlled(fundsChange, body, ({ amount }) => {
        book.setFunds(amount, now());
        return json(200, { funds: fromMinor(book.funds) });
      }),
    'POST /__control/clock': ({ body }) =>
      controlled(clockChange, body, ({ offset_ms, scope }) => json(200, moveClock(scope, offset_ms))),
    'POST /__control/credentials': ({ body }) =>
      controlled(rotation, body, (next) => {
        rotate(next);
        return json(200, { accessKeyId: next.accessKeyId });
      }),
    'POST /__control/reset': () => {
      reset();
      return json(200, { reset: true });
    },
  };
}

function listed(card: Card): Record<string, string | null> {
  const { creationRequestId, gcId, claimCode, currency, status } = card;
  const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  const times = { createdAt: iso(card.createdAt), cancelledAt: iso(card.cancelledAt) };
  return { creationRequestId, gcId, claimCode, amount: fromMinor(card.amount), currency, status, ...times };
}
