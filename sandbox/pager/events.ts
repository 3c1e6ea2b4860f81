import { join } from 'node:path';
import { z } from 'zod';
import { BoundedList, BoundedMap } from '../kit/bounded.ts';
import { type Journal, openJournal } from '../kit/journal.ts';

const ACTIONS = ['trigger', 'acknowledge', 'resolve'] as const;
const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;

export type PagerEvent = {
  at: string;
  event_action: (typeof ACTIONS)[number];
  dedup_key: string;
  payload: Record<string, unknown> | null;
};
/** What a run of events with one dedup_key comes to; a trigger after `resolved` opens the incident anew. */
export type Incident = {
  dedup_key: string;
  status: 'triggered' | 'acknowledged' | 'resolved';
  summary: string;
  severity: string;
  triggers: number;
  opened: number;
  first_at: string;
  last_at: string;
};

const payload = z.looseObject({
  summary: z.string().min(1).max(1024),
  source: z.string().min(1),
  severity: z.enum(SEVERITIES),
});
const event = z.looseObject({
  routing_key: z.string(),
  event_action: z.enum(ACTIONS),
  dedup_key: z.string().min(1).max(255).optional(),
  payload: z.unknown().optional(),
});

export type Accepted = Omit<PagerEvent, 'at' | 'dedup_key'> & { dedup_key: string | undefined };

/** Checks an event as the pager does; a list says what is wrong with it. `routingKey` undefined: any well-formed one. */
export function readEvent(body: unknown, routingKey: string | undefined): Accepted | string[] {
  const parsed = event.safeParse(body);
  if (!parsed.success) {
    return parsed.error.issues.map(({ path, message }) => `'${path.join('.') || 'event'}' is invalid: ${message}`);
  }
  const { routing_key, event_action, dedup_key } = parsed.data;
  if (routing_key.length !== 32) return ["Length of 'routing_key' is incorrect (should be 32 characters)"];
  if (routingKey !== undefined && routing_key !== routingKey) return ['Invalid routing key'];
  if (event_action !== 'trigger') {
    return dedup_key === undefined ? ["'dedup_key' is missing or blank"] : { event_action, dedup_key, payload: null };
  }
  const checked = payload.safeParse(parsed.data.payload);
  if (checked.success) return { event_action, dedup_key, payload: checked.data };
  return checked.error.issues.map(({ path }) => `'${['payload', ...path].join('.')}' is missing, blank or invalid`);
}

const KEPT = 20_000;

/** The events taken and the incidents they come to. */
export class EventBook {
  readonly #journal: Journal<PagerEvent>;
  readonly #events = new BoundedList<PagerEvent>(KEPT);
  readonly #incidents = new BoundedMap<Incident>(KEPT);

  constructor(dir: string) {
    this.#journal = openJournal<PagerEvent>(join(dir, 'pager-events.jsonl'));
    for (const taken of this.#journal.entries) this.#fold(taken);
  }

  add(taken: PagerEvent): void {
    this.#journal.append(taken);
    this.#fold(taken);
  }

  events(): PagerEvent[] {
    return this.#events.all();
  }

  incidents(): Incident[] {
    return this.#incidents.values();
  }

  clear(): void {
    this.#journal.rewrite([]);
    this.#events.clear();
    this.#incidents.clear();
  }

  close(): void {
    this.#journal.close();
  }

  #fold(taken: PagerEvent): void {
    this.#events.push(taken);
    const incident = this.#incidents.get(taken.dedup_key);
    if (taken.event_action === 'trigger') {
      const open = incident !== undefined && incident.status !== 'resolved';
      this.#incidents.set(taken.dedup_key, {
        dedup_key: taken.dedup_key,
        status: open ? incident.status : 'triggered',
        summary: String(taken.payload?.summary),
        severity: String(taken.payload?.severity),
        triggers: (incident?.triggers ?? 0) + 1,
        opened: (incident?.opened ?? 0) + (open ? 0 : 1),
        first_at: incident?.first_at ?? taken.at,
        last_at: taken.at,
      });
    } else if (incident !== undefined && incident.status !== 'resolved') {
      const status = taken.event_action === 'resolve' ? 'resolved' : 'acknowledged';
      this.#incidents.set(taken.dedup_key, { ...incident, status, last_at: taken.at });
    }
  }
}
