import type { Random } from '@hissaback/shared/domain/chance';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import type pg from 'pg';
import { Dice } from './dice.ts';

/** The thresholds that a tenant may set for itself (spec, section 10). */
export type Rules = {
  selfPurchase: boolean;
  velocityLimit: number;
  /** Null while the tenant does not ask for it. */
  orderWindowDays: number | null;
  geographyPoints: number;
};

export type Tenant = {
  readonly id: string;
  readonly pid: string;
  readonly rules: Rules;
  readonly members: readonly string[];
};
export type User = { readonly id: string; readonly phone: string | null; readonly email: string | null };
export type Offer = {
  readonly id: number;
  readonly merchant: string;
  readonly currency: string;
  /** Basis points of the sale, or paise. */
  readonly terms: Terms;
  readonly countries: Readonly<Record<string, Terms>>;
  readonly goals: readonly string[];
  coolOffDays: number;
};
export type Terms = { readonly pct: bigint } | { readonly fixed: bigint };
export type Link = {
  readonly id: string;
  readonly tenant: Tenant;
  readonly campaignId: string;
  readonly offerId: number;
  /** The shopper's part in basis points. */
  readonly share: bigint;
};

/** Everything that stands before the first click: facts that the model and the database share. */
export type World = {
  readonly tenants: readonly Tenant[];
  readonly users: readonly User[];
  /** Shoppers, without the creators. */
  readonly shoppers: readonly User[];
  readonly offers: ReadonlyMap<number, Offer>;
  readonly links: ReadonlyMap<string, Link>;
  /** Whose a visitor is; null while nobody's. Changes at logins. */
  readonly visitors: Map<string, string | null>;
};

const SHARES = [5_000n, 3_333n, 10_000n, 6_667n, 0n, 1n];

/** Makes a world from chance alone. */
export function makeWorld(random: Random, seed: number): World {
  const dice = new Dice(random);
  const uuid = (): string => mintUuid(random);
  const users: User[] = [];
  const person = (email: string | null, hasPhone = true): User => {
    const user = { id: uuid(), phone: hasPhone ? `+9198${String(users.length + 1).padStart(8, '0')}` : null, email };
    users.push(user);
    return user;
  };
  const tenants = [0, 1, 2].map((index): Tenant => {
    const creator = person(`creator${index}@example.com`);
    const rules: Rules = {
      selfPurchase: true,
      velocityLimit: index === 1 ? 3 : 5,
      orderWindowDays: index === 0 ? 30 : index === 1 ? 5 : seed % 3 === 0 ? null : 30,
      geographyPoints: index === 1 ? 3 : 1,
    };
    return { id: uuid(), pid: `pub-${index}`, rules, members: [creator.id] };
  });
  const shoppers = Array.from({ length: 9 }, () => person(null));
  shoppers.push(person('Creator0@Example.com'), person(null, false));

  const offers = new Map<number, Offer>();
  const offer = (id: number, rest: Omit<Offer, 'id'>): void => {
    offers.set(id, { id, ...rest });
  };
  const pct = (points: bigint): Terms => ({ pct: points });
  const none = { countries: {}, goals: [], currency: 'INR' };
  offer(101, { ...none, merchant: 'm1', terms: pct(1_000n), coolOffDays: dice.between(1, 3) });
  offer(102, { ...none, merchant: 'm1', terms: pct(750n), coolOffDays: dice.between(2, 6) });
  offer(103, {
    ...none,
    merchant: 'm3',
    terms: { fixed: 12_000n },
    countries: { AE: { fixed: 20_000n } },
    coolOffDays: 0,
  });
  offer(104, {
    ...none,
    merchant: 'm4',
    terms: pct(1_234n),
    countries: { US: pct(333n) },
    goals: ['g1', 'g2'],
    coolOffDays: 2,
  });
  offer(105, { ...none, merchant: 'm5', terms: pct(500n), currency: 'USD', coolOffDays: 1 });

  const links = new Map<string, Link>();
  for (const tenant of tenants) {
    const campaigns = [0, 1].map(() => ({ id: uuid(), share: dice.pick(SHARES) }));
    // The first campaign pays shoppers something, so that there is something to pay out.
    if (campaigns[0] !== undefined) campaigns[0].share = 5_000n;
    for (const offerId of [101, 101, 102, 103, 104, 105]) {
      const campaign = dice.chance(0.7) ? campaigns[0] : campaigns[1];
      if (campaign === undefined) continue;
      const id = uuid();
      links.set(id, { id, tenant, campaignId: campaign.id, offerId, share: campaign.share });
    }
  }
  const visitors = new Map<string, string | null>();
  for (const user of users) visitors.set(uuid(), user.id);
  for (let index = 0; index < 10; index++) visitors.set(uuid(), null);
  return { tenants, users, shoppers, offers, links, visitors };
}

/** Writes the world's rows, as the api would. `at` in milliseconds since the Unix epoch. */
export async function storeWorld(owner: pg.Client, world: World, at: number): Promise<void> {
  const time = new Date(at);
  await remakePartitions(owner, time);
  for (const user of world.users)
    await owner.query('insert into users (user_id, phone, email, created_at) values ($1, $2, $3, $4)', [
      user.id,
      user.phone,
      user.email,
      time,
    ]);
  for (const [index, tenant] of world.tenants.entries()) {
    await owner.query('insert into tenants (tenant_id, name, trackier_pid, created_at) values ($1, $2, $3, $4)', [
      tenant.id,
      `Tenant ${index}`,
      tenant.pid,
      time,
    ]);
    for (const member of tenant.members)
      await owner.query(
        `insert into tenant_members (tenant_id, user_id, role, created_at) values ($1, $2, 'owner', $3)`,
        [tenant.id, member, time],
      );
    const { rules } = tenant;
    const stored = {
      velocity: { limit: rules.velocityLimit },
      duplicateOrder:
        rules.orderWindowDays === null ? { enabled: false } : { enabled: true, windowDays: rules.orderWindowDays },
      geography: { points: rules.geographyPoints },
    };
    await owner.query('insert into fraud_settings (tenant_id, version, rules, created_at) values ($1, 1, $2, $3)', [
      tenant.id,
      JSON.stringify(stored),
      time,
    ]);
  }
  for (const offer of world.offers.values()) {
    const isPercent = 'pct' in offer.terms;
    await owner.query(
      `insert into offers (offer_id, brand, title, merchant, model, currency, base_commission_pct, fixed_commission, country_commissions,
         cool_off_days, tracking_link, synced_at)
       values ($1, 'Brand', 'Title', $2, $3, $4, $5, $6, $7, $8, 'https://network.example/click', $9)`,
      [
        offer.id,
        offer.merchant,
        isPercent ? 'cps' : 'cpa',
        offer.currency,
        'pct' in offer.terms ? hundredths(offer.terms.pct) : null,
        'fixed' in offer.terms ? hundredths(offer.terms.fixed) : null,
        JSON.stringify(
          Object.fromEntries(
            Object.entries(offer.countries).map(([country, terms]) => [
              country,
              'pct' in terms ? { pct: hundredths(terms.pct) } : { fixed: hundredths(terms.fixed) },
            ]),
          ),
        ),
        offer.coolOffDays,
        time,
      ],
    );
  }
  const campaigns = new Map([...world.links.values()].map((link) => [link.campaignId, link]));
  for (const [id, { tenant, share }] of campaigns)
    await owner.query(
      `insert into campaigns (campaign_id, tenant_id, name, share_pct, created_at) values ($1, $2, 'Campaign', $3, $4)`,
      [id, tenant.id, hundredths(share), time],
    );
  for (const [index, link] of [...world.links.values()].entries())
    await owner.query(
      'insert into links (link_id, tenant_id, campaign_id, offer_id, slug, created_at) values ($1, $2, $3, $4, $5, $6)',
      [link.id, link.tenant.id, link.campaignId, link.offerId, `link-${index}`, time],
    );
  for (const [visitorId, userId] of world.visitors)
    if (userId !== null)
      await owner.query('insert into visitors (visitor_id, user_id, created_at, bound_at) values ($1, $2, $3, $3)', [
        visitorId,
        userId,
        time,
      ]);
}

/** Only the months that will be lived in: every other partition costs each statement a little. */
async function remakePartitions(owner: pg.Client, from: Date): Promise<void> {
  await owner.query(`do $$
    declare leaf regclass;
    begin
      for leaf in select relid from unnest(array['clicks', 'conversions', 'postbacks', 'ledger']::regclass[]) as parent, pg_partition_tree(parent)
        where isleaf
      loop
        execute format('drop table %s', leaf);
      end loop;
    end $$`);
  await owner.query('select ensure_partitions($1, 0, 3)', [from]);
}

/** `12.34` for 1,234: paise as rupees, basis points as percent. */
export function hundredths(value: bigint): string {
  const sign = value < 0n ? '-' : '';
  const digits = String(value < 0n ? -value : value).padStart(3, '0');
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** 1,234 for `12.34`, `12.345` or `12.3`; what is below a hundredth is cut off. */
export function inHundredths(text: string): bigint {
  const negative = text.startsWith('-');
  const [units = '0', decimals = ''] = text.replace('-', '').split('.');
  const value = BigInt(units) * 100n + BigInt(decimals.padEnd(2, '0').slice(0, 2));
  return negative ? -value : value;
}
