// The tables as the migrations make them, for typed queries. tests/db/schema.test.ts compares every column with a migrated database; constraints,
// policies and partitions live in migrations/ alone.
import {
  bigint,
  boolean,
  char,
  date,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';

/** Rupees or another currency's major unit with two decimals, as a string: '12.34'. */
const money = (name: string) => numeric(name, { precision: 14, scale: 2 });
/** Percent with two decimals, as a string: '12.50'. */
const percent = (name: string) => numeric(name, { precision: 5, scale: 2 });
const instant = (name: string) => timestamp(name, { withTimezone: true });

export const tenants = pgTable('tenants', {
  tenantId: uuid('tenant_id').primaryKey(),
  name: varchar('name', { length: 120 }).notNull(),
  logoUrl: text('logo_url'),
  trackierPid: varchar('trackier_pid', { length: 64 }),
  customDomain: varchar('custom_domain', { length: 253 }),
  defaultSharePct: percent('default_share_pct').notNull().default('50.00'),
  status: text('status').notNull().default('active'),
  createdAt: instant('created_at').notNull(),
});

export const users = pgTable('users', {
  userId: uuid('user_id').primaryKey(),
  phone: varchar('phone', { length: 16 }),
  email: varchar('email', { length: 254 }),
  name: varchar('name', { length: 120 }),
  language: varchar('language', { length: 8 }).notNull().default('en'),
  kycHash: text('kyc_hash'),
  createdAt: instant('created_at').notNull(),
  lastLoginAt: instant('last_login_at'),
  lastActiveAt: instant('last_active_at'),
  deletedAt: instant('deleted_at'),
});

export const sessions = pgTable('sessions', {
  sessionId: uuid('session_id').primaryKey(),
  userId: uuid('user_id').notNull(),
  device: varchar('device', { length: 60 }).notNull(),
  scopeTenant: uuid('scope_tenant'),
  createdAt: instant('created_at').notNull(),
  lastUsedAt: instant('last_used_at').notNull(),
  revokedAt: instant('revoked_at'),
});

export const tenantMembers = pgTable(
  'tenant_members',
  {
    tenantId: uuid('tenant_id').notNull(),
    userId: uuid('user_id').notNull(),
    role: text('role').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.userId] })],
);

export const invitations = pgTable('invitations', {
  invitationId: uuid('invitation_id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  phone: varchar('phone', { length: 16 }),
  role: text('role').notNull(),
  invitedBy: uuid('invited_by').notNull(),
  status: text('status').notNull().default('open'),
  createdAt: instant('created_at').notNull(),
  expiresAt: instant('expires_at').notNull(),
  statusAt: instant('status_at').notNull(),
});

export const apiKeys = pgTable('api_keys', {
  keyId: uuid('key_id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  name: varchar('name', { length: 80 }).notNull(),
  keyHash: text('key_hash').notNull(),
  scopes: text('scopes').array().notNull(),
  createdBy: uuid('created_by').notNull(),
  createdAt: instant('created_at').notNull(),
  lastUsedAt: instant('last_used_at'),
  revokedAt: instant('revoked_at'),
});

export const operators = pgTable('operators', {
  userId: uuid('user_id').primaryKey(),
  createdAt: instant('created_at').notNull(),
});

export const visitors = pgTable('visitors', {
  visitorId: uuid('visitor_id').primaryKey(),
  userId: uuid('user_id'),
  createdAt: instant('created_at').notNull(),
  boundAt: instant('bound_at'),
  claimedAt: instant('claimed_at'),
});

export const fraudSettings = pgTable(
  'fraud_settings',
  {
    tenantId: uuid('tenant_id').notNull(),
    version: integer('version').notNull(),
    rules: jsonb('rules').notNull(),
    createdAt: instant('created_at').notNull(),
    createdBy: uuid('created_by'),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.version] })],
);

export const auditLog = pgTable('audit_log', {
  auditId: bigint('audit_id', { mode: 'bigint' }).primaryKey(),
  tenantId: uuid('tenant_id'),
  actor: text('actor').notNull(),
  action: text('action').notNull(),
  subject: text('subject').notNull(),
  reason: text('reason'),
  details: jsonb('details').notNull().default({}),
  createdAt: instant('created_at').notNull(),
});

export const scheduleRuns = pgTable('schedule_runs', {
  name: text('name').primaryKey(),
  leaseUntil: instant('lease_until'),
  leaseToken: uuid('lease_token'),
  lastStartedAt: instant('last_started_at'),
  lastSucceededAt: instant('last_succeeded_at'),
  lastError: text('last_error'),
  watermark: jsonb('watermark').notNull().default({}),
});

export const offers = pgTable('offers', {
  offerId: integer('offer_id').primaryKey(),
  network: text('network').notNull().default('trackier'),
  brand: varchar('brand', { length: 200 }).notNull(),
  sku: varchar('sku', { length: 120 }),
  category: varchar('category', { length: 120 }),
  title: varchar('title', { length: 300 }).notNull(),
  merchant: varchar('merchant', { length: 200 }).notNull(),
  model: text('model').notNull(),
  currency: char('currency', { length: 3 }).notNull().default('USD'),
  baseCommissionPct: percent('base_commission_pct'),
  fixedCommission: money('fixed_commission'),
  countryCommissions: jsonb('country_commissions').notNull().default({}),
  coolOffDays: integer('cool_off_days').notNull().default(30),
  trackingLink: text('tracking_link').notNull(),
  previewUrl: text('preview_url'),
  status: text('status').notNull().default('active'),
  syncedAt: instant('synced_at').notNull(),
});

export const campaigns = pgTable('campaigns', {
  campaignId: uuid('campaign_id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  name: varchar('name', { length: 120 }).notNull(),
  sharePct: percent('share_pct').notNull(),
  status: text('status').notNull().default('active'),
  createdAt: instant('created_at').notNull(),
});

export const links = pgTable('links', {
  linkId: uuid('link_id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  campaignId: uuid('campaign_id').notNull(),
  offerId: integer('offer_id').notNull(),
  host: varchar('host', { length: 253 }).notNull().default('_'),
  slug: varchar('slug', { length: 64 }).notNull(),
  status: text('status').notNull().default('active'),
  expiresAt: instant('expires_at'),
  fallbackUrl: text('fallback_url'),
  subIds: jsonb('sub_ids').notNull().default({}),
  utm: jsonb('utm').notNull().default({}),
  targets: jsonb('targets').notNull().default({}),
  version: bigint('version', { mode: 'bigint' }).notNull().default(1n),
  publishedVersion: bigint('published_version', { mode: 'bigint' }).notNull().default(0n),
  createdAt: instant('created_at').notNull(),
});

export const widgets = pgTable('widgets', {
  widgetId: uuid('widget_id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  campaignId: uuid('campaign_id').notNull(),
  configJson: jsonb('config_json').notNull().default({}),
  createdAt: instant('created_at').notNull(),
  archivedAt: instant('archived_at'),
});

export const widgetTokens = pgTable('widget_tokens', {
  tokenId: uuid('token_id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  widgetId: uuid('widget_id').notNull(),
  createdBy: uuid('created_by').notNull(),
  createdAt: instant('created_at').notNull(),
  expiresAt: instant('expires_at').notNull(),
  revokedAt: instant('revoked_at'),
});

export const clicks = pgTable(
  'clicks',
  {
    clickId: bigint('click_id', { mode: 'bigint' }).notNull(),
    createdAt: instant('created_at').notNull(),
    tenantId: uuid('tenant_id').notNull(),
    linkId: uuid('link_id').notNull(),
    userId: uuid('user_id'),
    visitorId: uuid('visitor_id'),
    country: char('country', { length: 2 }),
    device: text('device'),
    referrerHost: varchar('referrer_host', { length: 253 }),
    subId: varchar('sub_id', { length: 64 }),
    source: text('source').notNull(),
    referenceClickId: bigint('reference_click_id', { mode: 'bigint' }),
  },
  (table) => [primaryKey({ columns: [table.clickId, table.createdAt] })],
);

export const conversionIdentities = pgTable('conversion_identities', {
  convId: bigint('conv_id', { mode: 'bigint' }).primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  occurredAt: instant('occurred_at').notNull(),
  clickId: bigint('click_id', { mode: 'bigint' }).notNull(),
  linkId: uuid('link_id').notNull(),
  visitorId: uuid('visitor_id'),
  offerId: integer('offer_id').notNull(),
  goalId: varchar('goal_id', { length: 64 }),
  txnId: varchar('txn_id', { length: 128 }),
  networkId: varchar('network_id', { length: 64 }),
  status: text('status').notNull(),
  orderValue: money('order_value'),
  netCommission: money('net_commission').notNull(),
  platformFee: money('platform_fee').notNull().default('0'),
  amendments: integer('amendments').notNull().default(0),
  rounds: integer('rounds').notNull().default(0),
  changedAt: instant('changed_at').notNull(),
  listedAt: instant('listed_at'),
  listedStatus: text('listed_status'),
  expiredTo: text('expired_to'),
});

export const conversionAliases = pgTable('conversion_aliases', {
  alias: text('alias').primaryKey(),
  convId: bigint('conv_id', { mode: 'bigint' }).notNull(),
  tenantId: uuid('tenant_id').notNull(),
});

export const orderKeys = pgTable(
  'order_keys',
  {
    network: text('network').notNull(),
    merchant: varchar('merchant', { length: 200 }).notNull(),
    orderId: varchar('order_id', { length: 128 }).notNull(),
    firstSeen: instant('first_seen').notNull(),
    convId: bigint('conv_id', { mode: 'bigint' }).notNull(),
    tenantId: uuid('tenant_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.network, table.merchant, table.orderId] })],
);

export const orderKeysPast = pgTable(
  'order_keys_past',
  {
    network: text('network').notNull(),
    merchant: varchar('merchant', { length: 200 }).notNull(),
    orderId: varchar('order_id', { length: 128 }).notNull(),
    firstSeen: instant('first_seen').notNull(),
    convId: bigint('conv_id', { mode: 'bigint' }).notNull(),
    tenantId: uuid('tenant_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.network, table.merchant, table.orderId, table.convId] })],
);

export const conversions = pgTable(
  'conversions',
  {
    convId: bigint('conv_id', { mode: 'bigint' }).notNull(),
    createdAt: instant('created_at').notNull(),
    tenantId: uuid('tenant_id').notNull(),
    clickId: bigint('click_id', { mode: 'bigint' }).notNull(),
    linkId: uuid('link_id').notNull(),
    campaignId: uuid('campaign_id').notNull(),
    offerId: integer('offer_id').notNull(),
    userId: uuid('user_id'),
    visitorId: uuid('visitor_id'),
    orderValue: money('order_value'),
    netCommission: money('net_commission').notNull(),
    platformFee: money('platform_fee').notNull().default('0'),
    currency: char('currency', { length: 3 }).notNull(),
    status: text('status').notNull(),
    txnId: varchar('txn_id', { length: 128 }),
    networkId: varchar('network_id', { length: 64 }),
    goalId: varchar('goal_id', { length: 64 }),
    country: char('country', { length: 2 }),
    clickCountry: char('click_country', { length: 2 }),
    fraudScore: integer('fraud_score').notNull().default(0),
    fraudRules: text('fraud_rules').array().notNull().default([]),
    fraudInputs: jsonb('fraud_inputs').notNull().default({}),
    coolOffDays: integer('cool_off_days').notNull(),
    receivedAt: instant('received_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.convId, table.createdAt] })],
);

export const dailyRollups = pgTable(
  'daily_rollups',
  {
    tenantId: uuid('tenant_id').notNull(),
    day: date('day').notNull(),
    linkId: uuid('link_id').notNull(),
    shard: smallint('shard').notNull(),
    clicks: bigint('clicks', { mode: 'bigint' }).notNull().default(0n),
    conversions: bigint('conversions', { mode: 'bigint' }).notNull().default(0n),
    orderValue: numeric('order_value', { precision: 16, scale: 2 }).notNull().default('0'),
    netCommission: numeric('net_commission', { precision: 16, scale: 2 }).notNull().default('0'),
    userAmount: numeric('user_amount', { precision: 16, scale: 2 }).notNull().default('0'),
    creatorAmount: numeric('creator_amount', { precision: 16, scale: 2 }).notNull().default('0'),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.day, table.linkId, table.shard] })],
);

export const intakeLocks = pgTable('intake_locks', {
  lockKey: text('lock_key').primaryKey(),
});

export const ledger = pgTable(
  'ledger',
  {
    ledId: bigint('led_id', { mode: 'bigint' }).notNull(),
    tenantId: uuid('tenant_id').notNull(),
    createdAt: instant('created_at').notNull(),
    convId: bigint('conv_id', { mode: 'bigint' }).notNull(),
    seq: integer('seq').notNull().default(0),
    userId: uuid('user_id'),
    visitorId: uuid('visitor_id'),
    currency: char('currency', { length: 3 }).notNull(),
    userPct: percent('user_pct').notNull(),
    userAmount: money('user_amount').notNull(),
    creatorAmount: money('creator_amount').notNull(),
    status: text('status').notNull(),
    reason: text('reason'),
    releaseAt: instant('release_at').notNull(),
    statusAt: instant('status_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.ledId, table.tenantId, table.createdAt] })],
);

export const journalEntries = pgTable(
  'journal_entries',
  {
    eventId: text('event_id').notNull(),
    account: text('account').notNull(),
    amount: money('amount').notNull(),
    currency: char('currency', { length: 3 }).notNull(),
    tenantId: uuid('tenant_id').notNull(),
    kind: text('kind').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.eventId, table.account, table.currency] })],
);

export const payeeAccounts = pgTable(
  'payee_accounts',
  {
    tenantId: uuid('tenant_id').notNull(),
    side: text('side').notNull(),
    payee: uuid('payee').notNull(),
    currency: char('currency', { length: 3 }).notNull(),
    available: money('available').notNull().default('0'),
    reserved: money('reserved').notNull().default('0'),
    receivable: money('receivable').notNull().default('0'),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.side, table.payee, table.currency] })],
);

export const payouts = pgTable('payouts', {
  payoutId: uuid('payout_id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  side: text('side').notNull(),
  payee: uuid('payee').notNull(),
  userId: uuid('user_id').notNull(),
  method: text('method').notNull().default('amazon_gift_voucher'),
  currency: char('currency', { length: 3 }).notNull(),
  amount: money('amount').notNull(),
  status: text('status').notNull(),
  creationRequestId: varchar('creation_request_id', { length: 40 }).notNull(),
  agcodEndpoint: text('agcod_endpoint').notNull(),
  agcodRegion: text('agcod_region').notNull(),
  partnerId: varchar('partner_id', { length: 15 }).notNull(),
  cardMayExist: boolean('card_may_exist').notNull().default(false),
  attempts: integer('attempts').notNull().default(0),
  firstAttemptAt: instant('first_attempt_at'),
  nextAttemptAt: instant('next_attempt_at').notNull(),
  intentStoredAt: instant('intent_stored_at'),
  gcId: varchar('gc_id', { length: 64 }),
  voucherCode: text('voucher_code'),
  issuedAt: instant('issued_at'),
  smsAttempts: integer('sms_attempts').notNull().default(0),
  smsReference: text('sms_reference'),
  paidAt: instant('paid_at'),
  errorCode: text('error_code'),
  errorType: text('error_type'),
  resolvedAt: instant('resolved_at'),
  resolvedBy: uuid('resolved_by'),
  createdAt: instant('created_at').notNull(),
  statusAt: instant('status_at').notNull(),
  heldAt: instant('held_at'),
  heldBy: uuid('held_by'),
  cancellingAt: instant('cancelling_at'),
});

export const payoutItems = pgTable(
  'payout_items',
  {
    ledId: bigint('led_id', { mode: 'bigint' }).notNull(),
    tenantId: uuid('tenant_id').notNull(),
    side: text('side').notNull(),
    eventId: text('event_id').notNull(),
    payoutId: uuid('payout_id'),
    amount: money('amount').notNull(),
    returnedAt: instant('returned_at'),
  },
  (table) => [primaryKey({ columns: [table.ledId, table.side, table.eventId] })],
);

export const rewardCover = pgTable(
  'reward_cover',
  {
    tenantId: uuid('tenant_id').notNull(),
    side: text('side').notNull(),
    payee: uuid('payee').notNull(),
    currency: char('currency', { length: 3 }).notNull(),
    occurredAt: instant('occurred_at').notNull(),
    convId: bigint('conv_id', { mode: 'bigint' }).notNull(),
    open: money('open').notNull(),
    settled: money('settled').notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.tenantId, table.side, table.payee, table.currency, table.occurredAt, table.convId],
    }),
  ],
);

export const postbacks = pgTable(
  'postbacks',
  {
    postbackId: bigint('postback_id', { mode: 'bigint' }).notNull(),
    receivedAt: instant('received_at').notNull(),
    source: text('source').notNull(),
    raw: jsonb('raw').notNull(),
    outcome: text('outcome').notNull(),
    detail: text('detail'),
    convId: bigint('conv_id', { mode: 'bigint' }),
    tenantId: uuid('tenant_id'),
    processedAt: instant('processed_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.postbackId, table.receivedAt] })],
);

export const unmatchedConversions = pgTable('unmatched_conversions', {
  unmatchedId: bigint('unmatched_id', { mode: 'bigint' }).primaryKey(),
  tenantId: uuid('tenant_id'),
  reason: text('reason').notNull(),
  raw: jsonb('raw').notNull(),
  source: text('source').notNull(),
  clickId: bigint('click_id', { mode: 'bigint' }),
  status: text('status').notNull().default('open'),
  convId: bigint('conv_id', { mode: 'bigint' }),
  receivedAt: instant('received_at').notNull(),
  resolvedAt: instant('resolved_at'),
  assignment: jsonb('assignment'),
  assignedAt: instant('assigned_at'),
  resolvedBy: uuid('resolved_by'),
  resolution: text('resolution'),
});

export const deadLetters = pgTable('dead_letters', {
  deadLetterId: uuid('dead_letter_id').primaryKey(),
  queue: text('queue').notNull(),
  messageId: text('message_id').notNull(),
  body: jsonb('body').notNull(),
  reason: text('reason').notNull(),
  attempts: integer('attempts').notNull(),
  createdAt: instant('created_at').notNull(),
  resolvedAt: instant('resolved_at'),
  replayRequestedAt: instant('replay_requested_at'),
});

export const networkPolls = pgTable('network_polls', {
  startedAt: instant('started_at').primaryKey(),
  windowStart: date('window_start').notNull(),
  windowEnd: date('window_end').notNull(),
  nextDay: date('next_day').notNull(),
  chunkEnd: date('chunk_end'),
  nextPage: integer('next_page').notNull().default(1),
  listed: bigint('listed', { mode: 'bigint' }).notNull().default(0n),
  sent: bigint('sent', { mode: 'bigint' }).notNull().default(0n),
  finishedAt: instant('finished_at'),
});

export const conversionImports = pgTable('conversion_imports', {
  importId: uuid('import_id').primaryKey(),
  source: text('source').notNull(),
  day: date('day'),
  dryRun: boolean('dry_run').notNull().default(false),
  startedAt: instant('started_at').notNull(),
  finishedAt: instant('finished_at'),
  startedBy: uuid('started_by'),
  listed: bigint('listed', { mode: 'bigint' }).notNull().default(0n),
  sent: bigint('sent', { mode: 'bigint' }).notNull().default(0n),
  known: bigint('known', { mode: 'bigint' }).notNull().default(0n),
  failed: bigint('failed', { mode: 'bigint' }).notNull().default(0n),
  errors: jsonb('errors').notNull().default([]),
});

export const reconciliationFindings = pgTable(
  'reconciliation_findings',
  {
    kind: text('kind').notNull(),
    findingKey: text('finding_key').notNull(),
    tenantId: uuid('tenant_id'),
    day: date('day').notNull(),
    networkId: varchar('network_id', { length: 64 }),
    convId: bigint('conv_id', { mode: 'bigint' }),
    offerId: integer('offer_id'),
    here: jsonb('here'),
    there: jsonb('there'),
    source: text('source').notNull(),
    firstSeen: instant('first_seen').notNull(),
    lastSeen: instant('last_seen').notNull(),
    healedAt: instant('healed_at'),
  },
  (table) => [primaryKey({ columns: [table.kind, table.findingKey] })],
);

export const offerSyncPages = pgTable('offer_sync_pages', {
  page: integer('page').primaryKey(),
  begunAt: instant('begun_at').notNull(),
  total: integer('total').notNull(),
  rows: integer('rows').notNull(),
  unreadable: integer('unreadable').notNull().default(0),
  offers: jsonb('offers').notNull(),
  kept: integer('kept').array().notNull().default([]),
});

export const missingCashbackClaims = pgTable('missing_cashback_claims', {
  claimId: uuid('claim_id').primaryKey(),
  userId: uuid('user_id').notNull(),
  merchant: varchar('merchant', { length: 200 }).notNull(),
  brand: varchar('brand', { length: 200 }).notNull(),
  offerId: integer('offer_id'),
  purchasedOn: date('purchased_on').notNull(),
  orderId: varchar('order_id', { length: 128 }).notNull(),
  amount: money('amount').notNull(),
  status: text('status').notNull().default('open'),
  rule: text('rule'),
  evidence: jsonb('evidence').notNull().default({}),
  tenantId: uuid('tenant_id'),
  convId: bigint('conv_id', { mode: 'bigint' }),
  unmatchedId: bigint('unmatched_id', { mode: 'bigint' }),
  createdAt: instant('created_at').notNull(),
  searchedAt: instant('searched_at'),
  decidedAt: instant('decided_at'),
  decidedBy: uuid('decided_by'),
  decision: jsonb('decision'),
  reason: text('reason'),
});

export const notices = pgTable('notices', {
  noticeId: bigint('notice_id', { mode: 'bigint' }).primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  kind: text('kind').notNull(),
  offerId: integer('offer_id'),
  details: jsonb('details').notNull().default({}),
  createdAt: instant('created_at').notNull(),
  readAt: instant('read_at'),
});

export const idempotencyKeys = pgTable('idempotency_keys', {
  keyId: text('key_id').primaryKey(),
  fingerprint: text('fingerprint').notNull(),
  answer: text('answer'),
  createdAt: instant('created_at').notNull(),
  expiresAt: instant('expires_at').notNull(),
});

export const killSwitches = pgTable('kill_switches', {
  switchId: uuid('switch_id').primaryKey(),
  scope: text('scope').notNull(),
  tenantId: uuid('tenant_id'),
  reason: text('reason').notNull(),
  thrownAt: instant('thrown_at').notNull(),
  thrownBy: uuid('thrown_by').notNull(),
  clearedAt: instant('cleared_at'),
  clearedBy: uuid('cleared_by'),
});

export const notifications = pgTable(
  'notifications',
  {
    userId: uuid('user_id').notNull(),
    kind: text('kind').notNull(),
    subject: text('subject').notNull(),
    amount: money('amount').notNull(),
    currency: char('currency', { length: 3 }).notNull(),
    brand: varchar('brand', { length: 200 }),
    status: text('status').notNull().default('queued'),
    attempts: integer('attempts').notNull().default(0),
    nextAttemptAt: instant('next_attempt_at').notNull(),
    createdAt: instant('created_at').notNull(),
    statusAt: instant('status_at').notNull(),
    messageId: text('message_id'),
    delivery: text('delivery'),
    deliveryReason: text('delivery_reason'),
    deliveryAt: instant('delivery_at'),
  },
  (table) => [primaryKey({ columns: [table.kind, table.subject] })],
);

export const voucherMessages = pgTable(
  'voucher_messages',
  {
    payoutId: uuid('payout_id').notNull(),
    number: integer('number').notNull(),
    tenantId: uuid('tenant_id').notNull(),
    status: text('status').notNull().default('sending'),
    reason: text('reason'),
    messageId: text('message_id'),
    delivery: text('delivery'),
    deliveryReason: text('delivery_reason'),
    deliveryAt: instant('delivery_at'),
    begunAt: instant('begun_at').notNull(),
    statusAt: instant('status_at').notNull(),
    requestedBy: uuid('requested_by'),
  },
  (table) => [primaryKey({ columns: [table.payoutId, table.number] })],
);

export const creatorKycHolds = pgTable(
  'creator_kyc_holds',
  {
    tenantId: uuid('tenant_id').notNull(),
    currency: char('currency', { length: 3 }).notNull(),
    heldAt: instant('held_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.currency] })],
);

export const notificationPreferences = pgTable('notification_preferences', {
  userId: uuid('user_id').primaryKey(),
  tracked: boolean('tracked').notNull().default(true),
  confirmed: boolean('confirmed').notNull().default(true),
  paid: boolean('paid').notNull().default(true),
  reversed: boolean('reversed').notNull().default(true),
  updatedAt: instant('updated_at').notNull(),
});

export const tenantDomains = pgTable('tenant_domains', {
  domainId: uuid('domain_id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  domain: varchar('domain', { length: 190 }).notNull(),
  proof: varchar('proof', { length: 64 }).notNull(),
  createdAt: instant('created_at').notNull(),
  checkedAt: instant('checked_at'),
  verifiedAt: instant('verified_at'),
});

export const webhookEndpoints = pgTable('webhook_endpoints', {
  endpointId: uuid('endpoint_id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  url: text('url').notNull(),
  description: varchar('description', { length: 120 }),
  events: text('events').array().notNull(),
  status: text('status').notNull().default('enabled'),
  secret: text('secret').notNull(),
  previousSecret: text('previous_secret'),
  previousUntil: instant('previous_until'),
  failures: integer('failures').notNull().default(0),
  failingSince: instant('failing_since'),
  createdAt: instant('created_at').notNull(),
  statusAt: instant('status_at').notNull(),
});

export const webhookEvents = pgTable('webhook_events', {
  eventId: uuid('event_id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  type: text('type').notNull(),
  convId: bigint('conv_id', { mode: 'bigint' }).notNull(),
  convCreatedAt: instant('conv_created_at').notNull(),
  occurredAt: instant('occurred_at').notNull(),
  data: jsonb('data').notNull(),
});

export const webhookDeliveries = pgTable('webhook_deliveries', {
  deliveryId: uuid('delivery_id').primaryKey(),
  tenantId: uuid('tenant_id').notNull(),
  endpointId: uuid('endpoint_id').notNull(),
  eventId: uuid('event_id').notNull(),
  status: text('status').notNull().default('pending'),
  attempts: integer('attempts').notNull().default(0),
  nextAttemptAt: instant('next_attempt_at').notNull(),
  replayOf: uuid('replay_of'),
  responseStatus: integer('response_status'),
  responseBody: varchar('response_body', { length: 1024 }),
  error: text('error'),
  durationMs: integer('duration_ms'),
  createdAt: instant('created_at').notNull(),
  attemptedAt: instant('attempted_at'),
  deliveredAt: instant('delivered_at'),
});
