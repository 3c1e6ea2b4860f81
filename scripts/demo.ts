import { readFileSync } from 'node:fs';
import pg from 'pg';
import { wholePurchase } from './demo/purchase.ts';
import { StepFailed } from './demo/step.ts';
import { dataPaths } from './stack/paths.ts';
import type { StackFile } from './stack/stack-file.ts';

/** The running stack's description, or null if none runs on this DATA_DIR. */
function runningStack(file: string): StackFile | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

const { root, stackFile } = dataPaths(process.env.DATA_DIR || '.data');
const stack = runningStack(stackFile);
if (stack === null) {
  console.error(`No stack runs on ${root}. Start one in another terminal (npm start), then run this again.`);
  process.exit(1);
}

const began = performance.now();
const database = new pg.Client({ connectionString: stack.database.owner });
try {
  await database.connect();
  await wholePurchase(stack, database);
  console.log(`\nOne purchase, from login to voucher, in ${((performance.now() - began) / 1000).toFixed(1)} s.`);
} catch (error) {
  console.error(error instanceof StepFailed ? `\n${error.message}` : error);
  process.exitCode = 1;
} finally {
  await database.end().catch(() => undefined);
}
