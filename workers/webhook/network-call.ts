import { TrackierError } from '@hissaback/shared/clients/trackier';
import type { Deps } from './deps.ts';
import { pause } from './pause.ts';

/** The network allows 5 requests a second. */
const BETWEEN_CALLS_MS = 250;
/** Waits before the second, third and fourth try, in milliseconds. */
const BACKOFF_MS = [500, 2_000, 5_000];

/** Calls the network at its pace, and again after a failure that may pass: no answer, half an answer, 429 or 5xx. */
export async function callNetwork<T>(deps: Deps, call: () => Promise<T>): Promise<T> {
  const sleep = deps.sleep ?? pause;
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await call();
      await sleep(BETWEEN_CALLS_MS);
      return answer;
    } catch (error) {
      const wait = BACKOFF_MS[attempt];
      if (wait === undefined || !mayPass(error)) throw error;
      await sleep(wait);
    }
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof TrackierError)) return true;
  return error.status < 400 || error.status === 429 || error.status >= 500;
}
