import type { AgcodOptions } from './agcod/server.ts';
import type { DnsOptions } from './dns/server.ts';
import type { PagerOptions } from './pager/server.ts';
import type { SmsOptions } from './sms/server.ts';
import type { TrackierOptions } from './trackier/server.ts';

export type Settings = {
  agcod: AgcodOptions;
  trackier: TrackierOptions;
  sms: SmsOptions;
  pager: PagerOptions;
  dns: DnsOptions;
};
type Environment = Record<string, string | undefined>;

/** The stand-ins' settings: the environment's, each overridden by an argument `--name=value` (`--agcod-port=8801`). */
export function readSettings(environment: Environment, args: string[]): Settings {
  const values: Environment = { ...environment, ...readArguments(args) };
  const text = (name: string) => values[name] || undefined;
  const needed = (name: string) => {
    const value = text(name);
    if (value === undefined) throw new Error(`${name} is not set`);
    return value;
  };
  const count = (name: string) => {
    const value = text(name);
    if (value === undefined) return undefined;
    if (!/^\d{1,9}$/.test(value)) throw new Error(`${name} is not a number: ${value}`);
    return Number(value);
  };
  const dir = needed('SANDBOX_DIR');
  return {
    agcod: {
      port: count('AGCOD_PORT'),
      dir,
      credentials: { accessKeyId: needed('AGCOD_ACCESS_KEY_ID'), secretAccessKey: needed('AGCOD_SECRET_ACCESS_KEY') },
      partnerId: needed('AGCOD_PARTNER_ID'),
      region: text('AGCOD_REGION'),
      currency: text('AGCOD_CURRENCY'),
      funds: text('AGCOD_FUNDS'),
      maxAmount: text('AGCOD_MAX_AMOUNT'),
      fractions: text('AGCOD_FRACTIONS') === 'true',
      callsPerSecond: count('AGCOD_CALLS_PER_SECOND'),
      fundsCallsPerSecond: count('AGCOD_FUNDS_CALLS_PER_SECOND'),
    },
    trackier: {
      port: count('TRACKIER_PORT'),
      dir,
      apiKey: needed('TRACKIER_API_KEY'),
      publisherId: text('TRACKIER_PUBLISHER_ID') ?? '7001',
      webhookUrl: text('WEBHOOK_URL'),
      webhookToken: text('WEBHOOK_TOKEN'),
      retryBaseMs: count('TRACKIER_RETRY_BASE_MS'),
      callsPerSecond: count('TRACKIER_CALLS_PER_SECOND'),
    },
    sms: {
      port: count('SMS_PORT'),
      dir,
      authKey: needed('SMS_AUTH_KEY'),
      reports: {
        url: text('SMS_REPORT_URL'),
        token: text('SMS_REPORT_TOKEN'),
        delayMs: count('SMS_REPORT_DELAY_MS'),
      },
    },
    pager: { port: count('PAGER_PORT'), dir, routingKey: text('PAGER_ROUTING_KEY') },
    dns: { port: count('DNS_PORT'), dir },
  };
}

function readArguments(args: string[]): Environment {
  return Object.fromEntries(
    args.map((argument) => {
      const parts = /^--([a-z][a-z0-9_-]*)=(.*)$/i.exec(argument);
      if (parts === null) throw new Error(`not an argument of the form --name=value: ${argument}`);
      return [(parts[1] ?? '').replaceAll('-', '_').toUpperCase(), parts[2] ?? ''];
    }),
  );
}
