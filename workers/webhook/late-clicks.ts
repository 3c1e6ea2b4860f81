import {
  type LateDecision,
  lockOvertaken,
  overtakenClicks,
  writeLateDecisions,
} from '@hissaback/shared/db/queries/late-clicks';
import type { Tx } from '@hissaback/shared/db/types';
import { type FraudInputs, judge, readFraudRules } from '@hissaback/shared/domain/fraud';

export { overtakenClicks };

/**
 * Judges conversions again whose click arrived after them: the reference says whose they are, but not from which country the shopper clicked, which
 * the spec's geographic rule needs (section 10). A decision becomes stricter by it or stays; money that was released meanwhile is not taken back.
 * @param now milliseconds since the Unix epoch
 * @returns how many were judged again; doing it once more finds none
 */
export async function judgeAgain(tx: Tx, clickIds: readonly bigint[], now: number): Promise<number> {
  const late = await lockOvertaken(tx, clickIds);
  const decided = late.map((one): LateDecision => {
    const { verdict, ...before } = one.inputs;
    const inputs: FraudInputs = { ...before, settingsVersion: one.settingsVersion, clickCountry: one.clickCountry };
    const decision = judge(inputs, readFraudRules(one.rules));
    // Rules may have become milder since; what was decided stands.
    const stands = verdict === 'clear' || decision.verdict === 'reject' ? decision.verdict : verdict;
    return { late: one, inputs, decision: { ...decision, verdict: stands } };
  });
  if (decided.length > 0) await writeLateDecisions(tx, decided, now);
  return decided.length;
}
