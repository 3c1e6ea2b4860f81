import { type Conversion, move, payeeOf, rewardOf } from './conversion.ts';
import { accounts, eventIds, postEvent } from './journal.ts';
import { noSettlement, type PayeeState, payeeKey, payeesOf, type Settlement, workOff } from './settlement.ts';

/**
 * Moves conversions from pending to confirmed: both sides' money becomes available, and works off what the payee owes. `states` and the
 * conversions' rows are changed; `at` in milliseconds since the Unix epoch.
 */
export function release(
  states: ReadonlyMap<string, PayeeState>,
  conversions: readonly Conversion[],
  at: number,
): Settlement {
  const out = noSettlement();
  for (const conversion of conversions) {
    const { tenantId, currency } = conversion;
    const user = sum(conversion, 'user');
    const creator = sum(conversion, 'creator');
    for (const row of conversion.ledger) if (row.status === 'pending') move(row, 'confirmed', null, at);
    const reward = rewardOf(conversion);
    const shopper = payeeOf(conversion);
    out.postings.push(
      ...postEvent(
        { eventId: eventIds.release(reward.ledId, conversion.rounds), kind: 'release', tenantId, currency },
        [
          { account: accounts.payee('shopper', 'pending', tenantId, shopper), amount: -user },
          { account: accounts.payee('shopper', 'available', tenantId, shopper), amount: user },
          { account: accounts.payee('creator', 'pending', tenantId, tenantId), amount: -creator },
          { account: accounts.payee('creator', 'available', tenantId, tenantId), amount: creator },
        ],
      ),
    );
    for (const key of payeesOf(conversion)) {
      const state = states.get(payeeKey(key));
      if (state === undefined) throw new Error('a payee of a released conversion has no account');
      const amount = key.side === 'shopper' ? user : creator;
      state.account.available += amount;
      const share = state.shares.find((candidate) => candidate.convId === conversion.convId);
      if (share !== undefined) share.net += amount;
      workOff(out, state, eventIds.settlement(reward.ledId, key.side, conversion.rounds));
    }
  }
  return out;
}

function sum(conversion: Conversion, side: 'user' | 'creator'): bigint {
  return conversion.ledger.filter((row) => row.status === 'pending').reduce((total, row) => total + row[side], 0n);
}
