import { join } from 'node:path';
import { type Child, lastLines, startChild } from './child.ts';
import { StackFailure } from './failure.ts';
import { REPOSITORY } from './paths.ts';
import type { Ports } from './ports.ts';
import type { WorkerSecrets } from './secrets.ts';

/** The stand-ins for the outside world: AGCOD, Trackier, the SMS gateway, the pager and the resolver. */
export type SandboxUrls = { agcod: string; trackier: string; sms: string; pager: string; dns: string };

export type SandboxOptions = {
  ports: Ports;
  dir: string;
  logFile: string;
  origin: string;
  secrets: WorkerSecrets;
  partnerId: string;
  /** Restart it when its code changes. */
  watch: boolean;
  env: Record<string, string>;
};

const READY_WITHIN = 20_000;

export function sandboxUrls(ports: Ports): SandboxUrls {
  const at = (port: number) => `http://127.0.0.1:${port}`;
  return {
    agcod: at(ports.agcod),
    trackier: at(ports.trackier),
    sms: at(ports.sms),
    pager: at(ports.pager),
    dns: at(ports.dns),
  };
}

/** Starts the sandboxes; resolves when they have printed their one line of JSON. Throws StackFailure if they do not. */
export async function startSandbox(options: SandboxOptions, started: (child: Child) => void): Promise<Child> {
  const { ports, secrets } = options;
  let ready = () => {};
  const announced = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const child = startChild({
    name: 'sandbox',
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      ...(options.watch ? ['--watch'] : []),
      join(REPOSITORY, 'sandbox/main.ts'),
    ],
    env: {
      ...options.env,
      AGCOD_PORT: String(ports.agcod),
      TRACKIER_PORT: String(ports.trackier),
      SMS_PORT: String(ports.sms),
      PAGER_PORT: String(ports.pager),
      DNS_PORT: String(ports.dns),
      SANDBOX_DIR: options.dir,
      WEBHOOK_URL: `${options.origin}/v1/events/conversion`,
      WEBHOOK_TOKEN: firstToken(secrets.WEBHOOK_TOKENS),
      SMS_REPORT_URL: `${options.origin}/v1/events/sms`,
      SMS_REPORT_TOKEN: firstToken(secrets.SMS_REPORT_TOKENS),
      AGCOD_ACCESS_KEY_ID: secrets.AGCOD_ACCESS_KEY_ID,
      AGCOD_SECRET_ACCESS_KEY: secrets.AGCOD_SECRET_ACCESS_KEY,
      AGCOD_PARTNER_ID: options.partnerId,
      TRACKIER_API_KEY: secrets.TRACKIER_API_KEY,
      SMS_AUTH_KEY: secrets.SMS_AUTH_KEY,
      PAGER_ROUTING_KEY: secrets.PAGER_ROUTING_KEY,
    },
    logFile: options.logFile,
    onLine: (line) => {
      if (line.startsWith('{')) ready();
      return true;
    },
  });
  started(child);
  const outcome = await Promise.race([
    announced.then(() => 'ready'),
    child.ended,
    new Promise<string>((resolve) => setTimeout(resolve, READY_WITHIN, 'silent').unref()),
  ]);
  if (outcome === 'ready') return child;
  await child.stop();
  throw new StackFailure(
    `The sandboxes did not start (${outcome})\n${lastLines(options.logFile)}`,
    `Their whole log is ${options.logFile}`,
  );
}

/** The token that a partner's calls carry: the first of those the webhook accepts, which are separated by commas. */
export function firstToken(tokens: string): string {
  return tokens.split(',')[0]?.trim() ?? '';
}
