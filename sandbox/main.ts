import { startAgcod } from './agcod/server.ts';
import { startDns } from './dns/server.ts';
import type { Running } from './kit/http.ts';
import { startPager } from './pager/server.ts';
import { readSettings } from './settings.ts';
import { startSms } from './sms/server.ts';
import { startTrackier } from './trackier/server.ts';

const settings = readSettings(process.env, process.argv.slice(2));
const running: Running[] = [];

async function stop(code: number): Promise<void> {
  await Promise.allSettled(running.splice(0).map((server) => server.close()));
  process.exit(code);
}

async function started(server: Promise<Running>): Promise<string> {
  const ready = await server;
  running.push(ready);
  return ready.url;
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(0));

try {
  const agcod = await started(startAgcod(settings.agcod));
  const trackier = await started(startTrackier(settings.trackier));
  const sms = await started(startSms(settings.sms));
  const pager = await started(startPager(settings.pager));
  const dns = await started(startDns(settings.dns));
  console.log(JSON.stringify({ agcod, trackier, sms, pager, dns }));
} catch (error) {
  console.error(JSON.stringify({ level: 'error', sandbox: 'main', error: String(error) }));
  await stop(1);
}
