import { readFileSync } from 'node:fs';
import { dataPaths } from './paths.ts';
import type { StackFile } from './stack-file.ts';

/**
 * Where a command works: DATABASE_URL if it is set, else the stack that runs on DATA_DIR.
 *
 * @throws Error that says what is missing
 */
export function runningStack(env: NodeJS.ProcessEnv = process.env): { databaseUrl: string; stack: StackFile | null } {
  if (env.DATABASE_URL) return { databaseUrl: env.DATABASE_URL, stack: null };
  const { root, stackFile } = dataPaths(env.DATA_DIR || '.data');
  try {
    const stack = JSON.parse(readFileSync(stackFile, 'utf8')) as StackFile;
    return { databaseUrl: stack.database.owner, stack };
  } catch {
    throw new Error(`No stack runs on ${root}, and DATABASE_URL is not set.`);
  }
}
