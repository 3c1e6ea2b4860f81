// npm run simulate -- [--seed N] [--days D]: plays one world against the real handlers and compares the books with a model after every day.
import { parseArgs } from 'node:util';
import { playAll } from '../simulation/command.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, days: { type: 'string', default: '30' } },
});
const seed = Number(values.seed);
const days = Number(values.days);
if (!Number.isSafeInteger(seed) || seed < 0 || !Number.isSafeInteger(days) || days < 1) {
  console.error('Usage: npm run simulate -- --seed N --days D, whole numbers');
  process.exit(2);
}
process.exit((await playAll([{ seed, days }], true)) ? 0 : 1);
