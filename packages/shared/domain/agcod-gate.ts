/** AGCOD allows 10 calls a second; the gap is a tenth longer than that, because calls do not arrive as evenly as they leave. */
export const CALL_GAP_MS = 110;
/** A call that would have to wait longer is refused: its payout's lease must outlive the wait and the call. */
export const LONGEST_WAIT_MS = 20_000;
/** A probe that never reported is forgotten after this long. */
const PROBE_TIMEOUT_MS = 60_000;
/** How often the balance at Amazon is asked for, at most. */
const FUNDS_EVERY_MS = 10 * 60_000;
/** How long whoever took a page has to deliver it. */
const PAGE_CLAIM_MS = 60_000;

/** Times are milliseconds since the Unix epoch. */
export type GateState = {
  readonly lastSlot: number;
  readonly breaker: Breaker;
  readonly fundsAt: number | null;
  /** The payout that last had an answer: a database that does not know it was restored to an earlier point (money rule 17). */
  readonly latestPayoutId: string | null;
};

type Breaker =
  | { readonly state: 'closed' }
  | {
      readonly state: 'open';
      /** From here on one probe may go out. */
      readonly until: number;
      readonly probingSince: number | null;
      readonly page: { readonly claimedAt: number | null } | 'sent';
    };

export type GatePurpose = 'call' | 'probe' | 'funds';
export type GateSlot =
  /** Wait so many milliseconds, then call. */
  | { readonly ok: true; readonly waitMs: number }
  /** `until` is when the next probe may go out, if the breaker is why. */
  | { readonly ok: false; readonly reason: 'open' | 'busy' | 'not_due'; readonly until: number | null };

export type GateReport = {
  readonly purpose: GatePurpose;
  readonly sign: 'works' | 'trouble' | 'unclear';
  readonly payoutId: string | null;
  /** How long everything waits after trouble, in milliseconds. */
  readonly holdForMs: number;
};
export type GateChange = 'opened' | 'closed' | 'none';
export type GateStatus = {
  readonly breaker: 'closed' | 'open' | 'probe_due';
  readonly latestPayoutId: string | null;
};

/** The gate as its users see it: one Durable Object in front of every call to AGCOD (money rule 16). */
export interface AgcodGate {
  acquire(now: number, purpose: GatePurpose): Promise<GateSlot>;
  report(report: GateReport, now: number): Promise<GateChange>;
  status(now: number): Promise<GateStatus>;
  /** True for one caller a minute while the breaker is open and nobody was told. */
  claimPage(now: number): Promise<boolean>;
  pageSent(): Promise<void>;
}

export const NEW_GATE: GateState = {
  lastSlot: 0,
  breaker: { state: 'closed' },
  fundsAt: null,
  latestPayoutId: null,
};

/** Reserves a slot for one call, however many runs ask at once. */
export function acquireSlot(state: GateState, now: number, purpose: GatePurpose): [GateState, GateSlot] {
  const { breaker } = state;
  if (purpose === 'call' && breaker.state === 'open') return [state, refuse('open', breaker.until)];
  if (purpose === 'probe' && breaker.state === 'open' && !isProbeDue(breaker, now))
    return [state, refuse('open', breaker.until)];
  if (purpose === 'funds' && state.fundsAt !== null && between(state.fundsAt, now, FUNDS_EVERY_MS))
    return [state, refuse('not_due', null)];
  // A clock that was set back must not keep everybody waiting.
  const free = state.lastSlot + CALL_GAP_MS;
  const slot = free > now && free <= now + LONGEST_WAIT_MS + CALL_GAP_MS ? free : now;
  if (slot - now > LONGEST_WAIT_MS) return [state, refuse('busy', null)];
  const next: GateState = {
    ...state,
    lastSlot: slot,
    fundsAt: purpose === 'funds' ? now : state.fundsAt,
    breaker: purpose === 'probe' && breaker.state === 'open' ? { ...breaker, probingSince: now } : breaker,
  };
  return [next, { ok: true, waitMs: slot - now }];
}

/** Takes note of an answer. Trouble opens the breaker; only a probe that works closes it. */
export function reportAnswer(state: GateState, report: GateReport, now: number): [GateState, GateChange] {
  const { breaker } = state;
  const known = { ...state, latestPayoutId: report.payoutId ?? state.latestPayoutId };
  if (breaker.state === 'closed') {
    if (report.sign !== 'trouble') return [known, 'none'];
    const opened: Breaker = {
      state: 'open',
      until: now + report.holdForMs,
      probingSince: null,
      page: { claimedAt: null },
    };
    return [{ ...known, breaker: opened }, 'opened'];
  }
  if (report.purpose !== 'probe') return [known, 'none'];
  if (report.sign === 'works') return [{ ...known, breaker: { state: 'closed' } }, 'closed'];
  return [{ ...known, breaker: { ...breaker, until: now + report.holdForMs, probingSince: null } }, 'none'];
}

export function gateStatus(state: GateState, now: number): GateStatus {
  const { breaker, latestPayoutId } = state;
  if (breaker.state === 'closed') return { breaker: 'closed', latestPayoutId };
  return { breaker: isProbeDue(breaker, now) ? 'probe_due' : 'open', latestPayoutId };
}

/** Hands the duty to page about an open breaker to one caller; it passes on if that one does not report back. */
export function claimBreakerPage(state: GateState, now: number): [GateState, boolean] {
  const { breaker } = state;
  if (breaker.state === 'closed' || breaker.page === 'sent') return [state, false];
  const { claimedAt } = breaker.page;
  if (claimedAt !== null && between(claimedAt, now, PAGE_CLAIM_MS)) return [state, false];
  return [{ ...state, breaker: { ...breaker, page: { claimedAt: now } } }, true];
}

export function breakerPageSent(state: GateState): GateState {
  return state.breaker.state === 'closed' ? state : { ...state, breaker: { ...state.breaker, page: 'sent' } };
}

function isProbeDue(breaker: Extract<Breaker, { state: 'open' }>, now: number): boolean {
  if (breaker.probingSince !== null && between(breaker.probingSince, now, PROBE_TIMEOUT_MS)) return false;
  return now >= breaker.until;
}

function between(start: number, now: number, length: number): boolean {
  return now >= start && now < start + length;
}

function refuse(reason: 'open' | 'busy' | 'not_due', until: number | null): GateSlot {
  return { ok: false, reason, until };
}
