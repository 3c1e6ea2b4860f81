import type { SecretName, WorkerSecrets } from './secrets.ts';

/** The workers of the local runtime, the gateway first: only the first is reached over HTTP. */
export const WORKERS = ['gateway', 'durable-objects', 'redirect', 'api', 'webhook', 'payout-cron'] as const;
export type WorkerName = (typeof WORKERS)[number];

/** Folder of each worker's committed wrangler.toml, from the checkout's top. */
export const CONFIG_FOLDERS: Record<WorkerName, string> = {
  gateway: 'sandbox/gateway',
  'durable-objects': '.',
  redirect: 'workers/redirect',
  api: 'workers/api',
  webhook: 'workers/webhook',
  'payout-cron': 'workers/payout-cron',
};

/** What a wrangler.toml holds, as far as the stack changes it. */
export type WranglerConfig = {
  main: string;
  vars?: Record<string, string>;
  hyperdrive?: { binding: string; id: string; localConnectionString?: string }[];
  ratelimits?: { name: string; namespace_id: string; simple: { limit: number; period: number } }[];
  [key: string]: unknown;
};

/** The secrets each worker gets here, the same that `wrangler secret put` sets in production. */
export const SECRETS: Record<WorkerName, readonly SecretName[]> = {
  gateway: [],
  'durable-objects': ['OTP_KEYS'],
  redirect: ['REFERENCE_KEYS', 'VISITOR_KEYS'],
  api: [
    'REFERENCE_KEYS',
    'VISITOR_KEYS',
    'JWT_KEYS',
    'SMS_AUTH_KEY',
    'PHONE_KEYS',
    'KYC_KEYS',
    'API_KEY_KEYS',
    'WEBHOOK_KEYS',
  ],
  webhook: [
    'REFERENCE_KEYS',
    'WEBHOOK_TOKENS',
    'SMS_REPORT_TOKENS',
    'TRACKIER_API_KEY',
    'PAGER_ROUTING_KEY',
    'PHONE_KEYS',
    'WEBHOOK_KEYS',
  ],
  'payout-cron': [
    'VOUCHER_KEYS',
    'AGCOD_ACCESS_KEY_ID',
    'AGCOD_SECRET_ACCESS_KEY',
    'SMS_AUTH_KEY',
    'PAGER_ROUTING_KEY',
    'PHONE_KEYS',
  ],
};

export type LocalValues = {
  /** Values that replace those of the committed `vars`. */
  vars: Record<string, string>;
  /** Variables of this process: one of a var's name beats both. */
  env: NodeJS.ProcessEnv;
  /** Absolute path of the worker's source. */
  main: string;
  /** What the Hyperdrive binding connects to. */
  databaseUrl?: string;
};

/** The worker's committed configuration with this stack's values in it. Vars a worker does not have are not added. */
export function localConfig(committed: WranglerConfig, local: LocalValues): WranglerConfig {
  const vars = Object.entries(committed.vars ?? {}).map(([name, value]) => [
    name,
    local.env[name] ?? local.vars[name] ?? value,
  ]);
  return {
    ...committed,
    main: local.main,
    ...(committed.vars ? { vars: Object.fromEntries(vars) } : {}),
    ...(committed.ratelimits ? { ratelimits: rateLimits(committed.ratelimits, Object.fromEntries(vars)) } : {}),
    ...(committed.hyperdrive
      ? {
          hyperdrive: committed.hyperdrive.map((each) => ({ ...each, localConnectionString: local.databaseUrl ?? '' })),
        }
      : {}),
  };
}

/** The var and the binding say the same limit: whoever changes the one means the other too. */
function rateLimits(committed: NonNullable<WranglerConfig['ratelimits']>, vars: Record<string, string>) {
  const limit = Number(vars.PUBLIC_PER_MINUTE);
  return committed.map((each) =>
    each.name === 'PUBLIC_LIMIT' && limit > 0 ? { ...each, simple: { ...each.simple, limit } } : each,
  );
}

function quote(value: string): string {
  const mark = ["'", '"', '`'].find((candidate) => !value.includes(candidate));
  if (!mark || /[\r\n]/.test(value)) throw new Error('a secret with a line break or every kind of quote cannot be set');
  // The file's reader substitutes $NAME in every kind of quotes.
  return `${mark}${value.replaceAll('$', '\\$')}${mark}`;
}

/** The text of a worker's `.dev.vars`. */
export function devVars(worker: WorkerName, secrets: WorkerSecrets): string {
  return SECRETS[worker].map((name) => `${name}=${quote(secrets[name])}\n`).join('');
}

export type StackAddresses = {
  origin: string;
  agcod: string;
  trackier: string;
  sms: string;
  pager: string;
  dns: string;
  trackierCsv: string;
};

/** The contract's local defaults: what differs from the committed vars on one machine. */
export function localVars(at: StackAddresses): Record<string, string> {
  return {
    PLATFORM_ORIGIN: at.origin,
    PLATFORM_HOSTS: 'localhost,127.0.0.1,[::1]',
    AGCOD_ENDPOINT: at.agcod,
    AGCOD_PARTNER_ID: 'Hissa',
    AGCOD_CURRENCY: 'INR',
    TRACKIER_ENDPOINT: at.trackier,
    TRACKIER_CSV_URL: at.trackierCsv,
    TRACKIER_ALLOWLIST: '0.0.0.0/0,::/0',
    SMS_ENDPOINT: at.sms,
    PAGER_ENDPOINT: at.pager,
    WEBHOOK_TARGETS: 'any',
    DNS_ENDPOINT: `${at.dns}/dns-query`,
    RELEASE_REQUIRES_POLL: 'false',
    KYC_YEARLY_LIMIT: '',
    CREATOR_KYC_YEARLY_LIMIT: '',
    NOTIFICATIONS: 'off',
    // The local runtime's queues live in memory.
    POSTBACK_INBOX: 'on',
    DLT_ENTITY_ID: '1101000000000000001',
    DLT_TEMPLATE_OTP: 'local-otp',
    DLT_TEMPLATE_OTP_HI: 'local-otp-hi',
    DLT_TEMPLATE_VOUCHER: 'local-voucher',
    DLT_TEMPLATE_VOUCHER_HI: 'local-voucher-hi',
    DLT_TEMPLATE_TRACKED: 'local-tracked',
    DLT_TEMPLATE_CONFIRMED: 'local-confirmed',
    DLT_TEMPLATE_PAID: 'local-paid',
    DLT_TEMPLATE_REVERSED: 'local-reversed',
  };
}
