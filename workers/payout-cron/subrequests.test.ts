import { expect, it } from 'vitest';
import type { PayoutDeps } from './deps.ts';
import { countSubrequests, MOST_SUBREQUESTS } from './subrequests.ts';

const nothing = async () => undefined;
const deps = {
  fetch: nothing,
  db: { transaction: nothing, end: nothing },
  gate: { acquire: nothing, report: nothing, status: nothing, claimPage: nothing, pageSent: nothing },
  evidence: { put: nothing, get: nothing, list: nothing },
} as unknown as PayoutDeps;

it('a run is over before the platform ends it: whatever leaves the worker counts', async () => {
  const asks: ((counted: PayoutDeps) => Promise<unknown>)[] = [
    ({ fetch }) => fetch('https://n.example', {}),
    ({ db }) => db.transaction(async () => undefined),
    ({ gate }) => gate.acquire(0, 'call'),
    ({ gate }) => gate.status(0),
    ({ evidence }) => evidence.put('k', 'v', { onlyIf: { etagDoesNotMatch: '*' } }),
    ({ evidence }) => evidence.list({ prefix: 'p' }),
  ];
  for (const ask of asks) {
    const { counted, isUsedUp } = countSubrequests(deps);
    for (let asked = 1; asked < MOST_SUBREQUESTS; asked++) await ask(counted);
    expect(isUsedUp()).toBe(false);
    await ask(counted);
    expect(isUsedUp()).toBe(true);
  }
});
