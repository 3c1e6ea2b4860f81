/** What the stack gives to `seed` of scripts/seed.ts once the migrations have run. */
export type SeedInput = {
  /** A superuser's connection to the migrated database. */
  ownerUrl: string;
  /** The stack's origin, for the smart links it writes. */
  origin: string;
  /** Base URL of the Trackier the workers talk to. */
  trackier: string;
};

/** What `seed` answers, on the first start and on every later one alike; phones are E.164. */
export type SeedResult = {
  operatorPhone: string;
  demo: {
    tenant_id: string;
    campaign_id: string;
    link_id: string;
    smart_link: string;
    creatorPhone: string;
    shopperPhone: string;
  };
};

/** The one seam between the stack and its demo data: idempotent, and done when the rows are committed. */
export type Seed = (input: SeedInput) => Promise<SeedResult>;
