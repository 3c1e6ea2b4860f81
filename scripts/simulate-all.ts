// npm run simulate:all -- [--seeds N] [--first S] [--days D]: many worlds, one after another; ends with the seeds that failed.
import { parseArgs } from 'node:util';
import { playAll } from '../simulation/command.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '25' },
    first: { type: 'string', default: '1' },
    days: { type: 'string', default: '60' },
  },
});
const [seeds, first, days] = [Number(values.seeds), Number(values.first), Number(values.days)];
if (![seeds, first, days].every((number) => Number.isSafeInteger(number) && number > 0)) {
  console.error('Usage: npm run simulate:all -- --seeds N --first S --days D, whole numbers');
  process.exit(2);
}
const runs = Array.from({ length: seeds }, (_, index) => ({ seed: first + index, days }));
process.exit((await playAll(runs, false)) ? 0 : 1);
