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

it('the balance is asked for at most every ten minutes', () => {
  const [state, first] = acquireSlot(NEW_GATE, NOW, 'funds');
  expect(first.ok).toBe(true);
  expect(acquireSlot(state, NOW + 599_999, 'funds')[1]).toMatchObject({ ok: false, reason: 'not_due' });
  expect(acquireSlot(state, NOW + 600_000, 'funds')[1].ok).toBe(true);
});

it('money rule 17: the last answered payout is remembered', () => {
  expect(gateStatus(reportAnswer(NEW_GATE, report('unclear'), NOW)[0], NOW).latestPayoutId).toBe('p1');
});
