import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  acquireSlot,
  breakerPageSent,
  claimBreakerPage,
  type GateReport,
  type GateState,
  gateStatus,
  LONGEST_WAIT_MS,
  NEW_GATE,
  reportAnswer,
  withdrawFirstCall,
} from './agcod-gate.ts';

const HOLD = 300_000;
const NOW = 1_800_000_000_000;
const report = (sign: GateReport['sign'], purpose: GateReport['purpose'] = 'call'): GateReport => ({
  purpose,
  sign,
  payoutId: 'p1',
  holdForMs: HOLD,
});
const opened = (): GateState => reportAnswer(NEW_GATE, report('trouble'), NOW)[0];

describe('money rule 16: pacing', () => {
  it('never lets more than 10 calls into any second, however many ask at once', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { minLength: 11, maxLength: 120 }), (gaps) => {
        let state = NEW_GATE;
        let now = NOW;
        const sent: number[] = [];
        for (const gap of gaps) {
          now += gap;
          const [next, slot] = acquireSlot(state, now, 'call');
          state = next;
          if (slot.ok) sent.push(now + slot.waitMs);
        }
        for (const at of sent)
          expect(sent.filter((other) => other > at - 1_000 && other <= at).length).toBeLessThanOrEqual(10);
      }),
    );
  });

  it('refuses a call that would have to wait longer than its lease allows', () => {
    let state = NEW_GATE;
    let answers = 0;
    for (let call = 0; call < 1_000; call++) {
      const [next, slot] = acquireSlot(state, NOW, 'call');
      state = next;
      if (slot.ok) {
        answers += 1;
        expect(slot.waitMs).toBeLessThanOrEqual(LONGEST_WAIT_MS);
      } else expect(slot.reason).toBe('busy');
    }
    expect(answers).toBe(Math.floor(LONGEST_WAIT_MS / 110) + 1);
  });

  it('forgets slots of a clock that was ahead', () => {
    const [state] = acquireSlot(NEW_GATE, NOW + 3_600_000, 'call');
    expect(acquireSlot(state, NOW, 'call')[1]).toEqual({ ok: true, waitMs: 0 });
  });
});

describe('money rule 16: the breaker', () => {
  it('opens on trouble and lets nothing through', () => {
    const [state, change] = reportAnswer(NEW_GATE, report('trouble'), NOW);
    expect(change).toBe('opened');
    expect(acquireSlot(state, NOW + HOLD, 'call')[1]).toMatchObject({ ok: false, reason: 'open', until: NOW + HOLD });
    expect(reportAnswer(state, report('trouble'), NOW)[1]).toBe('none');
  });

  it('lets one probe out every five minutes, and only then', () => {
    const state = opened();
    expect(acquireSlot(state, NOW + HOLD - 1, 'probe')[1].ok).toBe(false);
    expect(gateStatus(state, NOW + HOLD).breaker).toBe('probe_due');
    const [probing, slot] = acquireSlot(state, NOW + HOLD, 'probe');
    expect(slot.ok).toBe(true);
    expect(acquireSlot(probing, NOW + HOLD + 1, 'probe')[1].ok).toBe(false);
    const [failed] = reportAnswer(probing, report('trouble', 'probe'), NOW + HOLD + 10);
    expect(gateStatus(failed, NOW + 2 * HOLD + 9).breaker).toBe('open');
    expect(gateStatus(failed, NOW + 2 * HOLD + 10).breaker).toBe('probe_due');
  });

  it('a probe that never reports is followed by another after a minute', () => {
    const [probing] = acquireSlot(opened(), NOW + HOLD, 'probe');
    expect(gateStatus(probing, NOW + HOLD + 59_999).breaker).toBe('open');
    expect(gateStatus(probing, NOW + HOLD + 60_000).breaker).toBe('probe_due');
  });

  it('closes only on a probe that works: a late success of an ordinary call proves nothing', () => {
    const state = opened();
    expect(reportAnswer(state, report('works'), NOW + 1)[1]).toBe('none');
    expect(reportAnswer(state, report('unclear', 'probe'), NOW + HOLD)[1]).toBe('none');
    const [closed, change] = reportAnswer(state, report('works', 'probe'), NOW + HOLD);
    expect(change).toBe('closed');
    expect(acquireSlot(closed, NOW + HOLD, 'call')[1].ok).toBe(true);
  });

  it('is paged once: the duty passes on only if its holder never reports back', () => {
    const [claimed, mine] = claimBreakerPage(opened(), NOW);
    expect(mine).toBe(true);
    expect(claimBreakerPage(claimed, NOW + 59_999)[1]).toBe(false);
    expect(claimBreakerPage(claimed, NOW + 60_000)[1]).toBe(true);
    expect(claimBreakerPage(breakerPageSent(claimed), NOW + 600_000)[1]).toBe(false);
    expect(claimBreakerPage(NEW_GATE, NOW)[1]).toBe(false);
  });
});

describe('a probe before its time (money rule 16)', () => {
  it('goes out when somebody asks for it, but never beside another', () => {
    const [probing, slot] = acquireSlot(opened(), NOW + 1, 'probe_now');
    expect(slot.ok).toBe(true);
    for (const purpose of ['probe', 'probe_now'] as const)
      expect(acquireSlot(probing, NOW + 2, purpose)[1]).toMatchObject({ ok: false, reason: 'open' });
    const [failed] = reportAnswer(probing, report('trouble', 'probe_now'), NOW + 10);
    expect(gateStatus(failed, NOW + 10 + HOLD - 1).breaker).toBe('open');
    expect(reportAnswer(probing, report('works', 'probe_now'), NOW + 10)[1]).toBe('closed');
  });

  it('is refused to whoever asked before the last one failed: that one was the answer', () => {
    const [probing] = acquireSlot(opened(), NOW + 5, 'probe_now', { askedAt: NOW + 1 });
    for (const sign of ['trouble', 'unclear'] as const) {
      const [failed] = reportAnswer(probing, report(sign, 'probe_now'), NOW + 10);
      for (const askedAt of [NOW + 1, NOW + 10])
        expect(acquireSlot(failed, NOW + 20, 'probe_now', { askedAt })[1]).toEqual({
          ok: false,
          reason: 'answered',
          until: NOW + 10 + HOLD,
        });
      expect(acquireSlot(failed, NOW + 20, 'probe_now', { askedAt: NOW + 11 })[1].ok).toBe(true);
    }
  });
});

describe('the balance', () => {
  it('is asked for by one of the runs that begin together: AGCOD answers one such question a second', () => {
    const [state, first] = acquireSlot(NEW_GATE, NOW, 'funds');
    expect(first.ok).toBe(true);
    expect(acquireSlot(state, NOW + 1_099, 'funds')[1]).toMatchObject({ ok: false, reason: 'not_due' });
    expect(acquireSlot(state, NOW + 1_100, 'funds')[1].ok).toBe(true);
  });

  it('is not asked for while the breaker is open', () => {
    expect(acquireSlot(opened(), NOW, 'funds')[1]).toMatchObject({ ok: false, reason: 'open' });
  });
});

describe('money rule 17: first calls are remembered before they are let through', () => {
  it('with whether they were answered, each once, the newest last', () => {
    let state = NEW_GATE;
    for (const id of ['p1', 'p2', 'p1']) [state] = acquireSlot(state, NOW, 'call', { firstCallOf: id });
    [state] = reportAnswer(state, report('unclear'), NOW);
    expect(gateStatus(state, NOW).firstCalls).toEqual([
      { payoutId: 'p2', at: NOW, isAnswered: false },
      { payoutId: 'p1', at: NOW, isAnswered: true },
    ]);
  });

  it('calls for what was called for before leave them alone, and so does a call that was refused', () => {
    const [state] = acquireSlot(NEW_GATE, NOW, 'call', { firstCallOf: 'p1' });
    expect(acquireSlot(state, NOW, 'call')[0].firstCalls).toBe(state.firstCalls);
    expect(acquireSlot(opened(), NOW, 'call', { firstCallOf: 'p2' })[0].firstCalls).toEqual([]);
  });

  it('one that is not made is forgotten, unless it was let through again since or answered', () => {
    const [state] = acquireSlot(NEW_GATE, NOW, 'call', { firstCallOf: 'p1' });
    expect(withdrawFirstCall(state, 'p1', NOW).firstCalls).toEqual([]);
    expect(
      withdrawFirstCall(acquireSlot(state, NOW + 1, 'call', { firstCallOf: 'p1' })[0], 'p1', NOW).firstCalls,
    ).toHaveLength(1);
    expect(withdrawFirstCall(reportAnswer(state, report('works'), NOW)[0], 'p1', NOW).firstCalls).toHaveLength(1);
  });

  it('as many as can be under way, and no more', () => {
    let state = NEW_GATE;
    for (let call = 0; call < 1_000; call++)
      [state] = acquireSlot(state, NOW + call * 200, 'call', { firstCallOf: `p${call}` });
    expect(state.firstCalls).toHaveLength(300);
    expect(state.firstCalls.at(-1)?.payoutId).toBe('p999');
  });
});
