import { randomUUID } from 'node:crypto';
import pg from 'pg';

export type Row = Record<string, unknown>;

/** One row of a table, and the tenant it belongs to (undefined: of no tenant). */
export type SeedRow = { table: string; tenant?: string; row: Row };

export type TwoTenants = {
  tenants: [string, string];
  /** Two shoppers; each has a click, a conversion, a reward and a payout at both tenants. */
  shoppers: [string, string];
  /** Owner of the tenant with the same index. */
  creators: [string, string];
  operator: string;
  rows: SeedRow[];
};

const ID_EPOCH_MS = Date.UTC(2024, 0, 1);
const YESTERDAY = Date.now() - 86_400_000;

let counter = 0;
/** A BIGINT id of yesterday; its time is `timeOf` it. */
export function newId(): bigint {
  counter += 1;
  return (BigInt(YESTERDAY - ID_EPOCH_MS) << 22n) | BigInt(counter);
}

/** The time that every `newId` carries. */
export const ID_TIME = new Date(YESTERDAY);

/** Rows of every table for two tenants, in the order of their foreign keys. */
export function twoTenants(): TwoTenants {
  const at = ID_TIME;
  const ids = (): [string, string] => [randomUUID(), randomUUID()];
  const tenants = ids();
  const shoppers = ids();
  const creators = ids();
  const operator = randomUUID();
  const offer = 1 + Math.floor(Math.random() * 1_000_000_000);
  const rows: SeedRow[] = [];
  const add = (table: string, row: Row): void => {
    rows.push({ table, row, ...(typeof row.tenant_id === 'string' ? { tenant: row.tenant_id } : {}) });
  };

  for (const [index, user_id] of [...shoppers, ...creators, operator].entries()) {
    add('users', { user_id, phone: `+9190000${String(offer % 10_000).padStart(4, '0')}${index}`, created_at: at });
  }
  add('operators', { user_id: operator, created_at: at });
  add('offers', {
    offer_id: offer,
    brand: 'Brand',
    title: 'Title',
    merchant: 'merchant',
    model: 'cps',
    base_commission_pct: '10.00',
    tracking_link: 'https://network.example/click',
    synced_at: at,
  });
  for (const user_id of shoppers) {
    add('visitors', { visitor_id: randomUUID(), user_id, created_at: at, bound_at: at });
    add('sessions', { session_id: randomUUID(), user_id, device: 'Test', created_at: at, last_used_at: at });
    add('notification_preferences', { user_id, updated_at: at });
    add('notifications', {
      ...{ user_id, kind: 'tracked', subject: `c${newId()}`, amount: '50.00', currency: 'INR' },
      ...{ next_attempt_at: at, created_at: at, status_at: at },
    });
  }

  for (const [index, tenant_id] of tenants.entries()) {
    const campaign_id = randomUUID();
    const link_id = randomUUID();
    add('tenants', { tenant_id, name: `Tenant ${index}`, created_at: at });
    add('tenant_members', { tenant_id, user_id: creators[index], role: 'owner', created_at: at });
    add('fraud_settings', { tenant_id, version: 1, rules: '{}', created_at: at });
    add('audit_log', {
      audit_id: newId(),
      tenant_id,
      actor: 'test',
      action: 'seed',
      subject: 'tenant',
      created_at: at,
    });
    add('campaigns', { campaign_id, tenant_id, name: 'Campaign', share_pct: '50.00', created_at: at });
    add('links', { link_id, tenant_id, campaign_id, offer_id: offer, slug: `slug-${link_id}`, created_at: at });
    const widget_id = randomUUID();
    const created_by = creators[index];
    add('widgets', { widget_id, tenant_id, campaign_id, created_at: at });
    add('widget_tokens', { token_id: randomUUID(), tenant_id, widget_id, created_by, created_at: at, expires_at: at });
    add('api_keys', {
      ...{ key_id: randomUUID(), tenant_id, name: 'Key', key_hash: '1.hash', scopes: ['offers:read'], created_by },
      ...{ created_at: at },
    });
    add('invitations', {
      ...{ invitation_id: randomUUID(), tenant_id, phone: `+9180000${String(offer % 100_000).padStart(5, '0')}` },
      ...{ role: 'member', invited_by: created_by, created_at: at, expires_at: at, status_at: at },
    });
    add('tenant_domains', {
      domain_id: randomUUID(),
      tenant_id,
      domain: `go.tenant-${index}.example`,
      proof: 'proof',
      created_at: at,
    });
    const endpoint_id = randomUUID();
    const event_id = randomUUID();
    add('webhook_endpoints', {
      ...{
        endpoint_id,
        tenant_id,
        url: 'https://hooks.example/',
        events: ['reward.paid'],
        secret: '1.AAAAAAAAAAAAAAAA.AAAA',
      },
      // Disabled, so that the seed's own rewards are told to nobody.
      ...{ status: 'disabled', created_at: at, status_at: at },
    });
    add('webhook_events', {
      ...{
        event_id,
        tenant_id,
        type: 'reward.paid',
        conv_id: newId(),
        conv_created_at: at,
        occurred_at: at,
        data: '{}',
      },
    });
    add('webhook_deliveries', {
      ...{ delivery_id: randomUUID(), tenant_id, endpoint_id, event_id, next_attempt_at: at, created_at: at },
    });
    add('daily_rollups', { tenant_id, day: '2026-01-01', link_id, shard: 0 });
    add('unmatched_conversions', {
      unmatched_id: newId(),
      tenant_id,
      reason: 'test',
      raw: '{}',
      source: 'postback',
      received_at: at,
    });
    add('reconciliation_findings', {
      ...{ kind: 'missing_here', finding_key: `net:${tenant_id}`, tenant_id, day: '2026-01-01', source: 'poll' },
      ...{ first_seen: at, last_seen: at },
    });
    add('kill_switches', {
      ...{ switch_id: randomUUID(), scope: 'payouts', tenant_id, reason: 'test', thrown_at: at, thrown_by: operator },
      ...{ cleared_at: at, cleared_by: operator },
    });
    add('creator_kyc_holds', { tenant_id, currency: 'INR', held_at: at });
    add('notices', { notice_id: newId(), tenant_id, kind: 'offer_gone', offer_id: offer, created_at: at });
    for (const user_id of shoppers) {
      const conv_id = newId();
      const click_id = newId();
      const led_id = newId();
      const payout_id = randomUUID();
      const sale = { order_value: '1000.00', net_commission: '100.00', status: 'approved' };
      add('clicks', { click_id, created_at: at, tenant_id, link_id, user_id, source: 'edge' });
      add('conversion_identities', {
        conv_id,
        tenant_id,
        occurred_at: at,
        click_id,
        link_id,
        offer_id: offer,
        changed_at: at,
        ...sale,
      });
      add('missing_cashback_claims', {
        ...{ claim_id: randomUUID(), user_id, merchant: 'merchant', brand: 'Brand', purchased_on: '2026-01-01' },
        ...{ order_id: `${conv_id}`, amount: '100.00', status: 'linked', tenant_id, conv_id, created_at: at },
      });
      add('conversion_aliases', { alias: `network:${conv_id}`, conv_id, tenant_id });
      add('order_keys', {
        network: 'trackier',
        merchant: 'merchant',
        order_id: `${conv_id}`,
        first_seen: at,
        conv_id,
        tenant_id,
      });
      add('order_keys_past', {
        network: 'trackier',
        merchant: 'merchant',
        order_id: `${conv_id}`,
        first_seen: at,
        conv_id,
        tenant_id,
      });
      add('conversions', {
        ...{ conv_id, created_at: at, tenant_id, click_id, link_id, campaign_id, offer_id: offer, user_id },
        ...{ ...sale, currency: 'INR', cool_off_days: 30, received_at: at },
      });
      add('ledger', {
        ...{ led_id, tenant_id, created_at: at, conv_id, user_id, currency: 'INR', user_pct: '50.00' },
        ...{ user_amount: '50.00', creator_amount: '50.00', status: 'confirmed', release_at: at, status_at: at },
      });
      add('journal_entries', {
        ...{ event_id: `accrual:${led_id}`, account: `fee:${tenant_id}`, amount: '-100.00' },
        ...{ currency: 'INR', tenant_id, kind: 'accrual', created_at: at },
      });
      add('payee_accounts', { tenant_id, side: 'shopper', payee: user_id, currency: 'INR', available: '50.00' });
      add('payouts', {
        ...{
          payout_id,
          tenant_id,
          side: 'shopper',
          payee: user_id,
          user_id,
          currency: 'INR',
          amount: '50.00',
          status: 'queued',
        },
        ...{
          creation_request_id: payout_id.replaceAll('-', ''),
          agcod_endpoint: 'https://agcod.example',
          agcod_region: 'eu-west-1',
        },
        ...{ partner_id: 'Test1', next_attempt_at: at, created_at: at, status_at: at },
      });
      add('voucher_messages', { payout_id, number: 1, tenant_id, begun_at: at, status_at: at });
      add('payout_items', {
        led_id,
        tenant_id,
        side: 'shopper',
        event_id: `reservation:${payout_id}`,
        payout_id,
        amount: '50.00',
      });
      // Triggers have written that of the reward above.
      add('reward_cover', {
        ...{ tenant_id, side: 'shopper', payee: user_id, currency: 'INR', occurred_at: at, conv_id: newId() },
        ...{ open: '0.00', settled: '50.00' },
      });
      add('postbacks', {
        postback_id: conv_id,
        received_at: at,
        source: 'postback',
        raw: '{}',
        outcome: 'credited',
        tenant_id,
        processed_at: at,
      });
    }
  }
  return { tenants, shoppers, creators, operator, rows };
}

/** Writes the rows as whoever `client` is. A journal row gets its balancing posting in the same statement. */
export async function seed(client: pg.Client, { rows }: TwoTenants): Promise<void> {
  for (const { table, row } of rows) {
    if (table !== 'journal_entries') await insert(client, table, row);
    else await insert(client, table, row, { ...row, account: `network:${row.tenant_id}`, amount: '100.00' });
  }
}

/** One INSERT of one or more rows with the same columns. */
export async function insert(client: pg.Client, table: string, ...rows: [Row, ...Row[]]): Promise<void> {
  const columns = Object.keys(rows[0]);
  const values = rows.flatMap((row) => columns.map((column) => row[column]));
  const tuples = rows.map(
    (_, row) => `(${columns.map((_column, column) => `$${row * columns.length + column + 1}`).join(', ')})`,
  );
  await client.query(
    `insert into ${pg.escapeIdentifier(table)} (${columns.map(pg.escapeIdentifier).join(', ')}) values ${tuples.join(', ')}`,
    values,
  );
}

/** The SQLSTATE with which `work` was refused, or 'done'. The transaction it ran in goes on. */
export async function outcome(client: pg.Client, work: () => Promise<unknown>): Promise<string> {
  await client.query('savepoint attempt');
  try {
    await work();
    return 'done';
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code !== undefined) return error.code;
    throw error;
  } finally {
    await client.query('rollback to savepoint attempt');
  }
}
