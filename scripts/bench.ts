// npm run bench [-- consumer|intake|redirect ...]: measures, and prints a table. Figures are ratios within one run where they can be: machines differ.
import { benchConsumer } from '../bench/consumer.ts';
import { type Figure, type Log, table } from '../bench/figures.ts';
import { benchIntake } from '../bench/intake.ts';
import { benchRedirect } from '../bench/redirect.ts';

const BENCHES: Record<string, (log: Log) => Promise<Figure[]>> = {
  consumer: benchConsumer,
  intake: benchIntake,
  redirect: benchRedirect,
};

/** Without the workers' own log lines. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { log } = console;
  console.log = () => undefined;
  try {
    return await work();
  } finally {
    console.log = log;
  }
}

const print = console.log;
const wanted = process.argv.slice(2);
if (wanted.some((name) => !Object.hasOwn(BENCHES, name))) {
  console.error(`Usage: npm run bench [-- ${Object.keys(BENCHES).join('|')} ...]`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const log: Log = (line) => print(`  ${name}: ${line}`);
  try {
    const figures = await quietly(() => bench(log));
    print(`\n${table(figures)}\n`);
  } catch (error) {
    console.error(`  ${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
process.disconnect?.();
