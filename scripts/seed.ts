import { openDatabase } from '@hissaback/shared/db/client';
import type { Tx } from '@hissaback/shared/db/types';
import { DEFAULT_FRAUD_RULES } from '@hissaback/shared/domain/fraud';
import {
  CAMPAIGNS,
  COOL_OFF_DAYS,
  CREATOR,
  DEMO_LINK,
  DEMO_TENANT,
  FOUNDED,
  LINKS,
  OPERATOR,
  PEOPLE,
  SHOPPER,
  TENANTS,
} from './seed/data.ts';
import { seedOffers } from './seed/offers.ts';
import type { Seed, SeedInput, SeedResult } from './stack/seeding.ts';

/**
 * Writes the demo: tenants, people, offers, campaigns and links; no clicks, no conversions, no payouts. Rows that are there stay as they are, so
 * that what was changed in the demo survives the next start.
 */
export const seed: Seed = async (input: SeedInput): Promise<SeedResult> => {
  const db = openDatabase({ connectionString: input.ownerUrl });
  try {
    await db.transaction(async (tx) => {
      await seedPeople(tx);
      await seedTenants(tx);
      await seedCatalogue(tx, input.trackier);
      await forgetPublished(tx);
    });
  } finally {
    await db.end();
  }
  return {
    operatorPhone: OPERATOR.phone,
    demo: {
      tenant_id: DEMO_TENANT.tenant_id,
      campaign_id: DEMO_LINK.campaign_id,
      link_id: DEMO_LINK.link_id,
      smart_link: `${input.origin}/${DEMO_LINK.slug}`,
      creatorPhone: CREATOR.phone,
      shopperPhone: SHOPPER.phone,
    },
  };
};

async function seedPeople(tx: Tx): Promise<void> {
  await insert(
    tx,
    'users',
    PEOPLE.map((person) => ({ ...person, created_at: FOUNDED })),
  );
  await insert(tx, 'operators', [{ user_id: OPERATOR.user_id, created_at: FOUNDED }]);
}

async function seedTenants(tx: Tx): Promise<void> {
  await insert(
    tx,
    'tenants',
    TENANTS.map(({ owner: _, ...tenant }) => ({ ...tenant, created_at: FOUNDED })),
  );
  const owners = TENANTS.map(({ tenant_id, owner }) => ({
    tenant_id,
    user_id: owner,
    role: 'owner',
    created_at: FOUNDED,
  }));
  await insert(tx, 'tenant_members', owners);
  const rules = TENANTS.map(({ tenant_id }) => ({
    tenant_id,
    version: 1,
    rules: DEFAULT_FRAUD_RULES,
    created_at: FOUNDED,
  }));
  await insert(tx, 'fraud_settings', rules);
}

async function seedCatalogue(tx: Tx, trackier: string): Promise<void> {
  const offers = seedOffers(trackier);
  await insert(
    tx,
    'offers',
    offers.map((offer) => ({
      ...offer,
      cool_off_days: COOL_OFF_DAYS.get(offer.offer_id) ?? 30,
      status: 'active',
      network: 'trackier',
      synced_at: FOUNDED,
    })),
  );
  // The network may have moved to another port since: links follow at once, not at the next sync.
  await tx.query(
    `update offers o set tracking_link = s.tracking_link from unnest($1::int[], $2::text[]) as s(offer_id, tracking_link)
     where o.offer_id = s.offer_id and o.tracking_link <> s.tracking_link`,
    [offers.map((offer) => offer.offer_id), offers.map((offer) => offer.tracking_link)],
  );
  await insert(
    tx,
    'campaigns',
    CAMPAIGNS.map((campaign) => ({ ...campaign, status: 'active', created_at: FOUNDED })),
  );
  const links = LINKS.map((link) => ({
    ...link,
    host: '_',
    status: 'active',
    sub_ids: {},
    utm: {},
    targets: {},
    version: 1,
    published_version: 0,
    created_at: FOUNDED,
  }));
  await insert(tx, 'links', links);
}

/** KV lives in DATA_DIR and the database perhaps elsewhere: what this stack's KV holds is only known once everything was published to it. */
async function forgetPublished(tx: Tx): Promise<void> {
  await tx.query('update links set published_version = 0 where published_version > 0');
}

/** Inserts the rows that are missing. All rows name the same columns. */
async function insert(tx: Tx, table: string, rows: readonly Record<string, unknown>[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {}).join(', ');
  await tx.query(
    `insert into ${table} (${columns}) select ${columns} from jsonb_populate_recordset(null::${table}, $1::jsonb) on conflict do nothing`,
    [JSON.stringify(rows)],
  );
}
