import { renameSync, writeFileSync } from 'node:fs';
import { SCHEDULES, type ScheduleName } from '@hissaback/shared/contracts/schedules';
import type { DatabaseUrls } from './database.ts';
import type { SandboxUrls } from './sandbox.ts';
import type { SeedResult } from './seeding.ts';

/** What outside tools read to drive the platform on one machine: the contract's page, key for key. */
export type StackFile = {
  origin: string;
  redirect: string;
  api: string;
  webhook: string;
  database: DatabaseUrls;
  sandbox: SandboxUrls;
  webhookToken: string;
  cronToken: string;
  operatorPhone: string;
  demo: SeedResult['demo'];
  /** POST runs the schedule and answers when the run has ended. */
  cron: Record<ScheduleName, string>;
};

/** The URLs that run each schedule of the stack at `origin`. */
export function cronUrls(origin: string): Record<ScheduleName, string> {
  const urls = SCHEDULES.map(({ name }) => [name, `${origin}/__cron/${name}`]);
  return Object.fromEntries(urls) as Record<ScheduleName, string>;
}

/** Writes stack.json in one step: a reader finds all of it or none. It holds secrets, so only its owner can read it. */
export function writeStackFile(file: string, stack: StackFile): void {
  const draft = `${file}.new`;
  writeFileSync(draft, `${JSON.stringify(stack, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
