import { z } from 'zod';
import { type Answer, json, parseJson, type Routes } from './http.ts';

const MAX_QUEUED = 1000;

/** What every fault says: how often it strikes and how long it holds the answer back (milliseconds). */
export const faultTiming = {
  times: z.number().int().min(1).max(1_000_000).default(1),
  ms: z.number().int().min(0).max(600_000).default(0),
};

/** Faults waiting to strike, consumed in the order they were queued. */
export class FaultQueue<F extends { times: number }> {
  #faults: F[] = [];

  add(fault: F): boolean {
    if (this.#faults.length >= MAX_QUEUED) return false;
    this.#faults.push({ ...fault });
    return true;
  }

  /** Uses up one strike of the first fault that `fits`. */
  take(fits: (fault: F) => boolean): F | undefined {
    const fault = this.#faults.find(fits);
    if (fault === undefined) return undefined;
    fault.times -= 1;
    if (fault.times <= 0) this.#faults = this.#faults.filter((other) => other !== fault);
    return fault;
  }

  all(): F[] {
    return this.#faults.map((fault) => ({ ...fault }));
  }

  clear(): void {
    this.#faults = [];
  }
}

/** `GET`, `POST` and `DELETE /__control/faults`. */
export function faultRoutes<F extends { times: number }>(queue: FaultQueue<F>, schema: z.ZodType<F>): Routes {
  return {
    'GET /__control/faults': () => json(200, { faults: queue.all() }),
    'POST /__control/faults': ({ body }) =>
      controlled(schema, body, (fault) =>
        queue.add(fault) ? json(200, { faults: queue.all() }) : json(409, { error: 'too many faults queued' }),
      ),
    'DELETE /__control/faults': () => {
      queue.clear();
      return json(200, { faults: [] });
    },
  };
}

/** Runs `act` on a control request's body, or answers 400 with what is wrong with it. */
export function controlled<T>(
  schema: z.ZodType<T>,
  body: Buffer,
  act: (value: T) => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  const parsed = schema.safeParse(parseJson(body));
  if (parsed.success) return act(parsed.data);
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  return json(400, { error: 'invalid control request', problems });
}
