import { Books } from './books.ts';
import { MortalStack, type Victim } from './mortal-stack.ts';

export type ChaosPlan = {
  payouts: number;
  kills: number;
  /** Every so many kills the database and the stand-ins die too; 0: never. */
  everythingEvery: number;
  /** The longest time the runtime pays before it dies, in milliseconds. */
  longestLife: number;
  log?: (line: string) => void;
};

const RUNS_AT_ONCE = 2;
const MORE = 20;
const LAST_RUNS = 200;

/**
 * Kills the runtime at random moments while it pays, starts it again, lets it end its work, and answers what then does not agree between the cards at
 * AGCOD, the payouts, the messages and the journal.
 */
export async function chaos(plan: ChaosPlan): Promise<string[]> {
  const log = plan.log ?? (() => undefined);
  const stack = await MortalStack.start();
  try {
    const books = new Books(stack.databaseUrl, stack.sandbox);
    await books.seed(plan.payouts);
    for (let kill = 1; kill <= plan.kills; kill++) {
      // There must be something to die over.
      if ((await books.paid()) === books.seeded) await books.seed(MORE);
      const isEverything = plan.everythingEvery > 0 && kill % plan.everythingEvery === 0;
      await payUntilDeath(stack, books, isEverything ? 'everything' : 'runtime', Math.random() * plan.longestLife);
      log(`kill ${kill} of ${plan.kills}: ${await books.paid()} of ${books.seeded} paid`);
    }
    for (let run = 0; run < LAST_RUNS && (await books.paid()) < books.seeded; run++) {
      await books.letTimePass();
      await pay(stack);
    }
    return await books.disagreements();
  } finally {
    await stack.stop();
  }
}

async function payUntilDeath(stack: MortalStack, books: Books, victim: Victim, life: number): Promise<void> {
  let isDead = false;
  const runs = Array.from({ length: RUNS_AT_ONCE }, async () => {
    while (!isDead) await pay(stack).catch(() => undefined);
  });
  await new Promise((resolve) => setTimeout(resolve, life));
  isDead = true;
  await stack.killAndRestart(victim, async () => {
    await Promise.all(runs);
    await books.letTimePass();
  });
}

/** One run of the payout schedule; what becomes of it shows in the books. */
async function pay(stack: MortalStack): Promise<void> {
  const answer = await fetch(`${stack.origin}/__cron/payout`, { method: 'POST', signal: AbortSignal.timeout(60_000) });
  await answer.text();
}
