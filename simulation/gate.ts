import {
  type AgcodGate,
  acquireSlot,
  breakerPageSent,
  claimBreakerPage,
  type GateState,
  gateStatus,
  NEW_GATE,
  reportAnswer,
  withdrawFirstCall,
} from '@hissaback/shared/domain/agcod-gate';
import type { Life } from './life.ts';

/** The Durable Object's rules without its runtime; its state outlives every worker. */
export class Gate {
  state: GateState = NEW_GATE;

  /** The gate as one worker reaches it. */
  for(life: Life): AgcodGate {
    const change = <Answer>(label: string, step: (state: GateState) => [GateState, Answer]): Promise<Answer> =>
      life.effect(label, () => {
        const [after, answer] = step(this.state);
        this.state = after;
        return answer;
      });
    return {
      acquire: (...given) => change('gate acquire', (state) => acquireSlot(state, ...given)),
      withdraw: (...given) =>
        life.effect('gate withdraw', () => {
          this.state = withdrawFirstCall(this.state, ...given);
        }),
      report: (report, now) => change('gate report', (state) => reportAnswer(state, report, now)),
      status: (now) => life.effect('gate status', () => gateStatus(this.state, now)),
      claimPage: (now) => change('gate claim page', (state) => claimBreakerPage(state, now)),
      pageSent: () =>
        life.effect('gate page sent', () => {
          this.state = breakerPageSent(this.state);
        }),
    };
  }
}
