import type { Stage } from './stage.fake.ts';

const DEADLINE_MS = 5_000;
const POLL_MS = 10;

/** Until somebody in the stage's database waits for a lock, or `work` has ended without. */
export async function untilWaiting(on: Stage, work: Promise<unknown>): Promise<void> {
  let hasEnded = false;
  const end = (): void => {
    hasEnded = true;
  };
  work.then(end, end);
  const deadline = Date.now() + DEADLINE_MS;
  while (!hasEnded) {
    const waiting = await on.sql(
      'select from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database()',
    );
    if (waiting.length > 0) return;
    if (Date.now() > deadline) throw new Error('nobody waits for a lock, and the work does not end');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
