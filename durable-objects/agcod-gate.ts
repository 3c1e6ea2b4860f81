import { DurableObject } from 'cloudflare:workers';
import {
  type AgcodGate,
  acquireSlot,
  breakerPageSent,
  claimBreakerPage,
  type GateCall,
  type GateChange,
  type GatePurpose,
  type GateReport,
  type GateSlot,
  type GateState,
  type GateStatus,
  gateStatus,
  NEW_GATE,
  reportAnswer,
  withdrawFirstCall,
} from '@hissaback/shared/domain/agcod-gate';

/**
 * The one gate in front of AGCOD: pacing and breaker (money rule 16). The rules are domain/agcod-gate; this keeps their state. They know no timer:
 * what is due follows from the state and the caller's time, so nothing is lost by an eviction. Times are milliseconds since the Unix epoch.
 */
export class AgcodGateObject extends DurableObject implements AgcodGate {
  /** Asks for a slot for one call to AGCOD. */
  async acquire(now: number, purpose: GatePurpose, call?: GateCall): Promise<GateSlot> {
    return this.#change((state) => acquireSlot(state, now, purpose, call));
  }

  /** Takes a first call back that was let through and is not made. */
  async withdraw(firstCallOf: string, at: number): Promise<void> {
    this.#change((state) => [withdrawFirstCall(state, firstCallOf, at), undefined]);
  }

  /** Tells what an answer said about the partner account. */
  async report(report: GateReport, now: number): Promise<GateChange> {
    return this.#change((state) => reportAnswer(state, report, now));
  }

  async status(now: number): Promise<GateStatus> {
    return gateStatus(this.#load(), now);
  }

  /** True for the one caller who is to page about the open breaker. */
  async claimPage(now: number): Promise<boolean> {
    return this.#change((state) => claimBreakerPage(state, now));
  }

  async pageSent(): Promise<void> {
    this.#change((state) => [breakerPageSent(state), undefined]);
  }

  #load(): GateState {
    return { ...NEW_GATE, ...this.ctx.storage.kv.get<GateState>('gate') };
  }

  /** No await between reading and writing: two callers never see the same state. */
  #change<Answer>(step: (state: GateState) => [GateState, Answer]): Answer {
    const before = this.#load();
    const [after, answer] = step(before);
    if (after !== before) this.ctx.storage.kv.put('gate', after);
    return answer;
  }
}
