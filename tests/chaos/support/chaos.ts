import { Books } from './books.ts';
import { leaks } from './leaks.ts';
import { MortalStack, type Victim } from './mortal-stack.ts';

export type ChaosPlan = {
  payouts: number;
  kills: number;
  /** Every so many kills the database and the stand-ins die too; 0: never. */
  everythingEvery: number;
  /** The longest time the runtime pays before it dies, in milliseconds. */
  longestLife: number;
  /** Whether at last the database goes back to an earlier point, over what was bought since (fault 49). */
  restore: boolean;
  log?: (line: string) => void;
};

const RUNS_AT_ONCE = 2;
const MORE = 20;
const LAST_RUNS = 200;
const LONGEST_START = 10_000;

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
    await payEverybody(stack, books);
    const wrong = await books.disagreements();
    if (plan.restore) wrong.push(...(await loseWhatWasBought(stack, books, plan.longestLife, log)));
    return [...wrong, ...leaks(stack.places, await books.codes())];
  } finally {
    await stack.stop();
  }
}

async function payEverybody(stack: MortalStack, books: Books): Promise<void> {
  for (let run = 0; run < LAST_RUNS && (await books.paid()) < books.seeded; run++) {
    await books.letTimePass();
    await pay(stack);
  }
}

/** The database goes back to a moment in the middle of a crowd's payouts, all of which are paid since. Answers what does not agree then. */
async function loseWhatWasBought(
  stack: MortalStack,
  books: Books,
  longestLife: number,
  log: (line: string) => void,
): Promise<string[]> {
  await books.seed(MORE);
  await payUntilDeath(stack, books, 'everything', Math.random() * longestLife, () => stack.keepDatabase());
  const known = await books.paid();
  await payEverybody(stack, books);
  const cards = (await books.codes()).size;
  await stack.killAndRestart(
    'everything',
    async () => undefined,
    () => stack.restoreDatabase(),
  );
  const left = await books.paid();
  log(`restored: ${left} of ${books.seeded} paid`);
  await payEverybody(stack, books);
  const wrong = await books.disagreements();
  if (left !== known || left === books.seeded)
    wrong.push(`${known} were paid when the copy was made, ${left} after the restore`);
  const bought = (await books.codes()).size;
  return bought === cards ? wrong : [...wrong, `${bought - cards} cards were bought again`];
}

async function payUntilDeath(
  stack: MortalStack,
  books: Books,
  victim: Victim,
  life: number,
  whileDead?: () => void,
): Promise<void> {
  let isDead = false;
  const runs = Array.from({ length: RUNS_AT_ONCE }, async () => {
    while (!isDead) await pay(stack).catch(() => undefined);
  });
  // On a busy machine a fresh runtime pays nothing for seconds: mostly it dies in the middle of its work, now and then before.
  if (Math.random() < 0.75) await untilItMoves(books);
  await sleep(life);
  isDead = true;
  const meanwhile = async () => {
    await Promise.all(runs);
    await books.letTimePass();
  };
  await stack.killAndRestart(victim, meanwhile, whileDead);
}

async function untilItMoves(books: Books): Promise<void> {
  const before = await books.steps();
  const deadline = performance.now() + LONGEST_START;
  while (performance.now() < deadline && (await books.steps()) === before) await sleep(25);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** One run of the payout schedule; what becomes of it shows in the books. */
async function pay(stack: MortalStack): Promise<void> {
  const answer = await fetch(`${stack.origin}/__cron/payout`, { method: 'POST', signal: AbortSignal.timeout(60_000) });
  await answer.text();
}
