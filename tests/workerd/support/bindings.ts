import { join } from 'node:path';
import { experimental_readRawConfig } from 'wrangler';
import { REPOSITORY } from '../../../scripts/stack/paths.ts';
import { type Outside, PARTNER_ID } from './provided.ts';

const WORKERS = ['api', 'webhook', 'payout-cron'] as const;
/** What miniflare takes for the very worker that a binding is of. */
const SELF = Symbol.for('miniflare.kCurrentWorker');
const keyring = (letter: string): string => `1:${letter.repeat(42)}A`;

const configOf = (folder: string) =>
  experimental_readRawConfig({ config: join(REPOSITORY, folder, 'wrangler.toml') }).rawConfig;

/**
 * The bindings of the three workers, by the names, classes and queues of their own wrangler.toml files, with what a test sets: the stand-ins'
 * addresses, secrets, and queues that do not wait. Each has its own database role: `DB_API`, `DB_WEBHOOK`, `DB_PAYOUT_CRON`.
 */
export async function bindingsOf(outside: Outside) {
  const configs = WORKERS.map((worker) => configOf(`workers/${worker}`));
  const objects: { name: string; class_name: string }[] = configOf('.').durable_objects?.bindings ?? [];
  const producers = configs.flatMap((config) => config.queues?.producers ?? []);
  const consumers = configs.flatMap((config) => config.queues?.consumers ?? []);
  const limits = configs.flatMap((config) => config.ratelimits ?? []);
  return {
    compatibilityDate: configs[0]?.compatibility_date ?? '',
    compatibilityFlags: ['nodejs_compat'],
    bindings: {
      ...Object.assign({}, ...configs.map(({ vars }) => vars)),
      ...(await secretsOf(outside)),
      PLATFORM_ORIGIN: 'http://hissaback.test',
      TRACKIER_ALLOWLIST: '203.0.113.0/24,2001:db8::/32',
      AGCOD_ENDPOINT: outside.agcod,
      AGCOD_PARTNER_ID: PARTNER_ID,
      SMS_ENDPOINT: outside.sms,
      PAGER_ENDPOINT: outside.pager,
      DLT_ENTITY_ID: '1101000000000000001',
      DLT_TEMPLATE_OTP: 'otp',
      DLT_TEMPLATE_VOUCHER: 'voucher',
      NOTIFICATIONS: 'off',
      RELEASE_REQUIRES_POLL: 'false',
      DATABASES: outside.database,
    },
    hyperdrives: {
      DB_API: outside.database.api,
      DB_WEBHOOK: outside.database.webhook,
      DB_PAYOUT_CRON: outside.database.payout,
      DB_OWNER: outside.database.owner,
    },
    durableObjects: Object.fromEntries(
      objects.map(({ name, class_name }) => [name, { className: class_name, useSQLite: true }]),
    ),
    kvNamespaces: configs.flatMap((config) => config.kv_namespaces ?? []).map(({ binding }) => binding),
    r2Buckets: [...new Set(configs.flatMap((config) => config.r2_buckets ?? []).map(({ binding }) => binding))],
    queueProducers: Object.fromEntries(producers.map(({ binding, queue }) => [binding, queue])),
    queueConsumers: Object.fromEntries(
      consumers.map(({ queue, max_batch_size, max_retries, dead_letter_queue }) => [
        queue,
        {
          maxBatchSize: max_batch_size,
          maxBatchTimeout: 0.05,
          maxRetries: max_retries,
          ...(dead_letter_queue ? { deadLetterQueue: dead_letter_queue } : {}),
        },
      ]),
    ),
    ratelimits: Object.fromEntries(limits.map(({ name, namespace_id, simple }) => [name, { namespace_id, simple }])),
    serviceBindings: {
      PAYOUT_CRON: { name: SELF, entrypoint: 'PayoutSchedules' },
      PAYOUTS: { name: SELF, entrypoint: 'Payouts' },
      IMPORTS: { name: SELF, entrypoint: 'Imports' },
    },
  };
}

async function secretsOf({ secrets }: Outside): Promise<Record<string, string>> {
  const pair = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair;
  const key = { ...(await crypto.subtle.exportKey('jwk', pair.privateKey)), kid: 'test', alg: 'ES256', use: 'sig' };
  return {
    JWT_KEYS: JSON.stringify([key]),
    REFERENCE_KEYS: keyring('A'),
    VISITOR_KEYS: keyring('B'),
    VOUCHER_KEYS: keyring('C'),
    OTP_KEYS: keyring('D'),
    PHONE_KEYS: keyring('E'),
    KYC_KEYS: keyring('F'),
    API_KEY_KEYS: keyring('G'),
    WEBHOOK_TOKENS: 'token-1,token-2',
    TRACKIER_API_KEY: 'network-key',
    AGCOD_ACCESS_KEY_ID: secrets.accessKeyId,
    AGCOD_SECRET_ACCESS_KEY: secrets.secretAccessKey,
    SMS_AUTH_KEY: secrets.smsKey,
    PAGER_ROUTING_KEY: secrets.routingKey,
  };
}
