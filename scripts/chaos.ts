// npm run chaos [-- kills payouts drained]: the stack's runtime is killed at random moments while it pays, and a crowd of due payouts drains.
import { chaos } from '../tests/chaos/support/chaos.ts';
import { drain } from '../tests/chaos/support/drain.ts';

const [kills = 50, payouts = 200, drained = 10_000] = process.argv.slice(2).map(Number);
const print = console.log;
const log = (line: string): void => print(`  ${line}`);

/** Without the workers' own log lines, of which each payout has some. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  console.log = () => undefined;
  try {
    return await work();
  } finally {
    console.log = print;
  }
}

function tell(what: string, wrong: readonly string[]): boolean {
  console.log(wrong.length === 0 ? `ok    ${what}` : `FAIL  ${what}\n      ${wrong.join('\n      ')}`);
  return wrong.length === 0;
}

try {
  if (![kills, payouts, drained].every((count) => Number.isInteger(count) && count >= 0))
    throw new RangeError('Usage: npm run chaos [-- kills payouts drained]');
  const plan = { payouts, kills, everythingEvery: 10, longestLife: 1_500, restore: true, log };
  const killed = tell(
    `${kills} kills over ${payouts} payouts, and a database restored to before the last ones: everything agrees card by card`,
    await chaos(plan),
  );
  const empty = tell(`${drained} due payouts drained without a human`, await quietly(() => drain(drained, log)));
  process.exitCode = killed && empty ? 0 : 1;
} catch (error) {
  console.error(error instanceof RangeError ? error.message : error);
  process.exitCode = 1;
}
process.disconnect?.();
