import { type Conversion, isReleased, parts, payeeOf } from './conversion.ts';

export type Side = 'shopper' | 'creator';
/** What a payee can be paid, has reserved, owes. Paise. */
export type Account = { available: bigint; reserved: bigint; receivable: bigint };
export type Payout = {
  readonly id: string;
  readonly tenantId: string;
  readonly payee: string;
  readonly amount: bigint;
  readonly requestId: string;
  readonly createdAt: number;
  status: string;
  /** An operator has looked at its refusal. */
  isResolved: boolean;
};

/** The model's balances: every movement of released money, on both sides (money rules 11 to 14). */
export class Books {
  readonly accounts = new Map<string, Account>();
  readonly payouts = new Map<string, Payout>();
  /** Gift cards bought, by tenant. */
  readonly vouchers = new Map<string, bigint>();
  readonly #conversions: readonly Conversion[];

  constructor(conversions: readonly Conversion[]) {
    this.#conversions = conversions;
  }

  account(tenantId: string, side: Side, payee: string): Account {
    const key = `${side} ${tenantId} ${payee}`;
    const known = this.accounts.get(key);
    if (known !== undefined) return known;
    const fresh = { available: 0n, reserved: 0n, receivable: 0n };
    this.accounts.set(key, fresh);
    return fresh;
  }

  /** Money that becomes available, less what its holder owes. */
  give(tenantId: string, side: Side, payee: string, amount: bigint): void {
    const account = this.account(tenantId, side, payee);
    account.available += amount;
    const worked = least(account.available, account.receivable);
    account.available -= worked;
    account.receivable -= worked;
    if (side === 'shopper') {
      const spare = this.#open(tenantId, payee) - account.available;
      if (spare > 0n) this.#use(tenantId, payee, least(worked, spare));
      else this.#unuse(tenantId, payee, -spare);
      this.#tellPaid(tenantId, payee);
    }
  }

  /** Released money that a reversal or an amendment takes back: from what is available, then from queued payouts, then as a debt. */
  take(tenantId: string, side: Side, payee: string, amount: bigint, change: () => bigint): void {
    const account = this.account(tenantId, side, payee);
    const queued = [...this.payouts.values()]
      .filter((p) => side === 'shopper' && p.tenantId === tenantId && p.payee === payee && p.status === 'queued')
      .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
    while (account.available < amount) {
      const payout = queued.shift();
      if (payout === undefined) break;
      payout.status = 'cancelled';
      account.reserved -= payout.amount;
      account.available += payout.amount;
      this.#uncover(payout.id);
    }
    const taken = least(amount, account.available);
    account.available -= taken;
    account.receivable += amount - taken;
    // What the reward itself had not been paid yet is gone with it; the rest was paid by other rewards.
    const ownPart = change();
    if (side === 'shopper') {
      if (taken > ownPart) this.#use(tenantId, payee, taken - ownPart);
      this.#tellPaid(tenantId, payee);
    }
  }

  /** Cards are queued for a payee: money is set aside and rewards are used, oldest first. */
  reserve(payouts: readonly Payout[]): void {
    for (const payout of payouts) {
      const account = this.account(payout.tenantId, 'shopper', payout.payee);
      account.available -= payout.amount;
      account.reserved += payout.amount;
      this.payouts.set(payout.id, payout);
      this.#use(payout.tenantId, payout.payee, payout.amount, payout.id);
    }
  }

  /** A payout moves on, as Amazon and the phones made it. */
  move(payout: Payout, to: string): void {
    const account = this.account(payout.tenantId, 'shopper', payout.payee);
    payout.status = to;
    if (to === 'issued') {
      account.reserved -= payout.amount;
      this.vouchers.set(payout.tenantId, (this.vouchers.get(payout.tenantId) ?? 0n) + payout.amount);
    } else if (to === 'error_hard' || to === 'cancelled') {
      account.reserved -= payout.amount;
      this.#uncover(payout.id);
      this.give(payout.tenantId, 'shopper', payout.payee, payout.amount);
    } else if (to === 'paid') this.#tellPaid(payout.tenantId, payout.payee);
  }

  /** How much of a released reward no payout and no debt has used. */
  uncovered(conversion: Conversion): bigint {
    if (!isReleased(conversion.state)) return 0n;
    const open = parts(conversion).user - sum(conversion.cover);
    return open > 0n ? open : 0n;
  }

  #ofPayee(tenantId: string, payee: string): Conversion[] {
    return this.#conversions
      .filter((c) => c.link.tenant.id === tenantId && payeeOf(c) === payee && isReleased(c.state))
      .sort((a, b) => a.occurredAt - b.occurredAt || (a.convId < b.convId ? -1 : 1));
  }

  #use(tenantId: string, payee: string, amount: bigint, payoutId: string | null = null): void {
    let left = amount;
    if (left === 0n) return;
    for (const conversion of this.#ofPayee(tenantId, payee)) {
      const part = least(this.uncovered(conversion), left);
      if (part === 0n) continue;
      conversion.cover.push({ payoutId, amount: part });
      left -= part;
      if (left === 0n) return;
    }
    throw new Error(`the model's rewards of ${payee} do not cover ${amount} paise: ${left} are missing`);
  }

  /** What debts had used and has come back is free again, the newest rewards first; of one used up beyond its worth only the rest is anything. */
  #unuse(tenantId: string, payee: string, amount: bigint): void {
    let left = amount;
    for (const conversion of this.#ofPayee(tenantId, payee).reverse()) {
      if (left === 0n) return;
      const debts = sum(conversion.cover.filter(({ payoutId }) => payoutId === null));
      const beyond = sum(conversion.cover) - parts(conversion).user;
      const over = beyond > 0n ? beyond : 0n;
      const freed = least(debts - over, left);
      if (freed <= 0n) continue;
      const kept = debts - over - freed;
      conversion.cover = conversion.cover.filter(({ payoutId }) => payoutId !== null);
      if (kept > 0n) conversion.cover.push({ payoutId: null, amount: kept });
      left -= freed;
    }
    if (left > 0n) throw new Error(`the model has ${left} paise available of ${payee} that no reward stands for`);
  }

  #open(tenantId: string, payee: string): bigint {
    return this.#ofPayee(tenantId, payee).reduce((total, conversion) => total + this.uncovered(conversion), 0n);
  }

  #uncover(payoutId: string): void {
    for (const conversion of this.#conversions)
      conversion.cover = conversion.cover.filter((cover) => cover.payoutId !== payoutId);
  }

  /**
   * A reward is paid when paid vouchers and worked-off debts make up the shopper's part (money rule 12), at the least that it has ever been: what came on
   * top of that is a row of its own in the ledger.
   */
  #tellPaid(tenantId: string, payee: string): void {
    for (const conversion of this.#ofPayee(tenantId, payee)) {
      const done = sum(
        conversion.cover.filter(({ payoutId }) => payoutId === null || this.payouts.get(payoutId)?.status === 'paid'),
      );
      const state = done > 0n && done >= conversion.lowest ? 'paid' : 'confirmed';
      if (state !== conversion.state) conversion.story.push(state === 'paid' ? 'paid in full' : 'owed again');
      conversion.state = state;
    }
  }
}

function sum(cover: readonly { amount: bigint }[]): bigint {
  return cover.reduce((total, { amount }) => total + amount, 0n);
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
