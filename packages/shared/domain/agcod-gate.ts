/** AGCOD allows 10 calls a second; the gap is a tenth longer than that, because calls do not arrive as evenly as they leave. */
export const CALL_GAP_MS = 110;
/** A call that would have to wait longer is refused: its payout's lease must outlive the wait and the call. */
export const LONGEST_WAIT_MS = 20_000;
/** A probe that never reported is forgotten after this long. */
const PROBE_TIMEOUT_MS = 60_000;
/** AGCOD answers one question a second for the balance; of runs that begin at once one asks. */
const FUNDS_EVERY_MS = 1_100;
/** How long whoever took a page has to deliver it. */
const PAGE_CLAIM_MS = 60_000;

/** Times are milliseconds since the Unix epoch. */
export type GateState = {
  readonly lastSlot: number;
  readonly breaker: Breaker;
  readonly fundsAt: number | null;
  /** The newest payouts whose first call was let through, oldest first: a database that does not know one was restored to an earlier point (money rule 17). */
  readonly firstCalls: readonly FirstCall[];
};

/** A payout's first call: once it was answered, `sending` was certainly committed. */
export type FirstCall = { readonly payoutId: string; readonly at: number; readonly isAnswered: boolean };

/** More than can be under way at once, so that whatever was bought last is among them. */
const FIRST_CALLS_KEPT = 300;

type Breaker =
  | { readonly state: 'closed' }
  | {
      readonly state: 'open';
      /** From here on one probe may go out. */
      readonly until: number;
      /** When the last probe was answered, or else the call that opened it: whoever asked for a probe before that has had the answer. */
      readonly answeredAt: number;
      readonly probingSince: number | null;
      readonly page: { readonly claimedAt: number | null } | 'sent';
    };

type OpenBreaker = Extract<Breaker, { state: 'open' }>;

/** `probe_now`: somebody asked for a probe before it is due, by making a held payout due. */
export type GatePurpose = 'call' | 'probe' | 'probe_now' | 'funds';
export type GateCall = { readonly firstCallOf?: string; readonly askedAt?: number };
export type GateSlot =
  /** Wait so many milliseconds, then call. */
  | { readonly ok: true; readonly waitMs: number }
  /** `until` is when the next probe may go out, if the breaker is why; `answered`: the probe that was asked for has been made since, and failed. */
  | { readonly ok: false; readonly reason: 'open' | 'answered' | 'busy' | 'not_due'; readonly until: number | null };

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
  readonly firstCalls: readonly FirstCall[];
};

/** The gate as its users see it: one Durable Object in front of every call to AGCOD (money rule 16). */
export interface AgcodGate {
  /**
   * @param call.firstCallOf the payout, if no call was ever made for it
   * @param call.askedAt when the probe of `probe_now` was asked for
   */
  acquire(now: number, purpose: GatePurpose, call?: GateCall): Promise<GateSlot>;
  /** The first call that was let through at that time is not made: it is forgotten. */
  withdraw(firstCallOf: string, at: number): Promise<void>;
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
  firstCalls: [],
};

/** Reserves a slot for one call, however many runs ask at once. Before the slot is given, the payout of a first call is remembered. */
export function acquireSlot(
  state: GateState,
  now: number,
  purpose: GatePurpose,
  { firstCallOf, askedAt = now }: GateCall = {},
): [GateState, GateSlot] {
  const { breaker } = state;
  if (breaker.state === 'open' && !mayPass(breaker, now, purpose)) return [state, refuse('open', breaker.until)];
  if (breaker.state === 'open' && purpose === 'probe_now' && askedAt <= breaker.answeredAt)
    return [state, refuse('answered', breaker.until)];
  if (purpose === 'funds' && state.fundsAt !== null && between(state.fundsAt, now, FUNDS_EVERY_MS))
    return [state, refuse('not_due', null)];
  // A clock that was set back must not keep everybody waiting.
  const free = state.lastSlot + CALL_GAP_MS;
  const slot = free > now && free <= now + LONGEST_WAIT_MS + CALL_GAP_MS ? free : now;
  if (slot - now > LONGEST_WAIT_MS) return [state, refuse('busy', null)];
  const next: GateState = {
    lastSlot: slot,
    fundsAt: purpose === 'funds' ? now : state.fundsAt,
    breaker: breaker.state === 'open' ? { ...breaker, probingSince: now } : breaker,
    firstCalls: firstCallOf === undefined ? state.firstCalls : remember(state.firstCalls, firstCallOf, now),
  };
  return [next, { ok: true, waitMs: slot - now }];
}

function mayPass(breaker: OpenBreaker, now: number, purpose: GatePurpose): boolean {
  if (purpose === 'probe') return isProbeDue(breaker, now);
  return purpose === 'probe_now' && !isProbing(breaker, now);
}

function remember(calls: readonly FirstCall[], payoutId: string, at: number): FirstCall[] {
  const others = calls.filter((call) => call.payoutId !== payoutId);
  return [...others, { payoutId, at, isAnswered: false }].slice(-FIRST_CALLS_KEPT);
}

/** Forgets a first call that was let through and not made; not one that somebody else was let through for since. */
export function withdrawFirstCall(state: GateState, firstCallOf: string, at: number): GateState {
  const isMeant = (call: FirstCall) => call.payoutId === firstCallOf && call.at === at && !call.isAnswered;
  return { ...state, firstCalls: state.firstCalls.filter((call) => !isMeant(call)) };
}

/** Takes note of an answer. Trouble opens the breaker; only a probe that works closes it. */
export function reportAnswer(state: GateState, report: GateReport, now: number): [GateState, GateChange] {
  const { breaker } = state;
  const known = { ...state, firstCalls: answered(state.firstCalls, report.payoutId) };
  if (breaker.state === 'closed') {
    if (report.sign !== 'trouble') return [known, 'none'];
    const opened: Breaker = {
      state: 'open',
      until: now + report.holdForMs,
      answeredAt: now,
      probingSince: null,
      page: { claimedAt: null },
    };
    return [{ ...known, breaker: opened }, 'opened'];
  }
  if (report.purpose !== 'probe' && report.purpose !== 'probe_now') return [known, 'none'];
  if (report.sign === 'works') return [{ ...known, breaker: { state: 'closed' } }, 'closed'];
  const waiting: Breaker = { ...breaker, until: now + report.holdForMs, answeredAt: now, probingSince: null };
  return [{ ...known, breaker: waiting }, 'none'];
}

function answered(calls: readonly FirstCall[], payoutId: string | null): readonly FirstCall[] {
  if (!calls.some((call) => call.payoutId === payoutId && !call.isAnswered)) return calls;
  return calls.map((call) => (call.payoutId === payoutId ? { ...call, isAnswered: true } : call));
}

export function gateStatus(state: GateState, now: number): GateStatus {
  const { breaker, firstCalls } = state;
  if (breaker.state === 'closed') return { breaker: 'closed', firstCalls };
  return { breaker: isProbeDue(breaker, now) ? 'probe_due' : 'open', firstCalls };
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

function isProbeDue(breaker: OpenBreaker, now: number): boolean {
  return !isProbing(breaker, now) && now >= breaker.until;
}

function isProbing({ probingSince }: OpenBreaker, now: number): boolean {
  return probingSince !== null && between(probingSince, now, PROBE_TIMEOUT_MS);
}

function between(start: number, now: number, length: number): boolean {
  return now >= start && now < start + length;
}

function refuse(reason: 'open' | 'answered' | 'busy' | 'not_due', until: number | null): GateSlot {
  return { ok: false, reason, until };
}
