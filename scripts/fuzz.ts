// npm run fuzz [-- requests [seed]]: hostile requests over all routes of a stack that is started for it and thrown away. 20,000 unless told.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FuzzReport, fuzz } from './fuzz/run.ts';
import { stackTarget } from './fuzz/stack-target.ts';
import { Stack } from './stack/stack.ts';

const REQUESTS = 20_000;
const LANES = 8;
const TELL_EVERY = 1_000;

const [requestsGiven, seedGiven] = process.argv.slice(2);
const requests = Number(requestsGiven ?? REQUESTS);
const seed = Number(seedGiven ?? Math.floor(Math.random() * 2 ** 31));

// The resolver that custom domains are verified by: it knows no name.
const resolver = createServer((_, answer) =>
  answer.setHeader('content-type', 'application/dns-json').end('{"Status":3}'),
);
await new Promise<void>((listening) => resolver.listen(0, '127.0.0.1', listening));
const { port: resolverPort } = resolver.address() as AddressInfo;

// Limits are not what is looked for here; a schedule would change rows in between.
Object.assign(process.env, {
  CRONS: 'off',
  PORT: process.env.PORT ?? '18970',
  OTP_PER_ADDRESS_PER_HOUR: '1000000',
  OTP_TOTAL_PER_HOUR: '1000000',
  PUBLIC_PER_MINUTE: '1000000',
  DNS_ENDPOINT: `http://127.0.0.1:${resolverPort}/dns-query`,
});
const folder = mkdtempSync(join(tmpdir(), 'hissaback-fuzz-'));

const stack = new Stack({
  env: { ...process.env, DATA_DIR: folder },
  watch: false,
  onFailure: (failure) => {
    console.error(`\n${failure.message}`);
    process.exitCode = 1;
  },
});
let stopped = false;
const stop = async (): Promise<void> => {
  if (stopped) return;
  stopped = true;
  await stack.stop();
  resolver.close();
  if (process.exitCode) console.log(`The stack's data and logs are kept: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
};
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(name, () => void stop().then(() => process.exit(1)));
process.on('disconnect', () => void stop().then(() => process.exit(1)));

function tell(report: FuzzReport, seconds: number): void {
  for (const failure of report.failures) console.error(`\nFAILED ${failure}`);
  for (const name of report.missed) console.error(`\nNEVER ASKED ${name}`);
  const statuses = [...report.byStatus].sort(([a], [b]) => a - b).map(([status, count]) => `${count} x ${status}`);
  console.log(
    `\n${report.sent} hostile requests in ${Math.round(seconds)} s (seed ${seed}): ${statuses.join(', ')}.\n` +
      `The slowest took ${Math.round(report.slowest.milliseconds)} ms (${report.slowest.about.slice(0, 120)}).\n` +
      `${report.failures.length} failures.`,
  );
}

try {
  const target = await stackTarget(await stack.start());
  const began = performance.now();
  let told = 0;
  const report = await fuzz(
    {
      ...target,
      told(sent) {
        if (sent < told + TELL_EVERY) return;
        told = sent;
        console.log(`${sent} of ${requests} after ${Math.round((performance.now() - began) / 1000)} s`);
      },
    },
    { seed, requests, lanes: LANES },
  );
  await target.close();
  tell(report, (performance.now() - began) / 1000);
  if (report.failures.length > 0 || report.missed.length > 0) process.exitCode = 1;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stop();
  process.disconnect?.();
}
