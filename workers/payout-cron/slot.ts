import { logEvent, reasonOf } from './log.ts';
import type { PayoutRun } from './run.ts';

/** Room for a call to AGCOD: milliseconds to wait, or false if none may be made now. */
export async function takeSlot(run: PayoutRun, payoutId: string): Promise<number | false> {
  try {
    const slot = await run.gate.acquire(run.clock.now(), 'call');
    return slot.ok ? slot.waitMs : false;
  } catch (error) {
    logEvent('error', 'gate_failed', { payout_id: payoutId, reason: reasonOf(error) });
    return false;
  }
}
