import type { LINK_STATUSES } from '../../contracts/links.ts';
import type { LinkToPublish } from '../../contracts/publish.ts';
import type { PublishedLink, SubIdName, UtmName } from '../../contracts/published-link.ts';
import type { Tx } from '../types.ts';
import { fromMicroseconds, microsecondsOf } from './time.ts';

export type LinkStatus = (typeof LINK_STATUSES)[number];

export type LinkRow = {
  link_id: string;
  tenant_id: string;
  campaign_id: string;
  offer_id: number;
  /** `_` on the platform's own hosts. */
  host: string;
  slug: string;
  status: LinkStatus;
  expires_at: Date | null;
  fallback_url: string | null;
  sub_ids: Partial<Record<SubIdName, string>>;
  utm: Partial<Record<UtmName, string>>;
  targets: LinkTargets;
  published: boolean;
  /** The network no longer lists the offer: the link rests. */
  offer_gone: boolean;
  created_at: Date;
};

/** Countries and devices as they are published. */
export type LinkTargets = Pick<PublishedLink, 'geo' | 'dev'>;

const COLUMNS = `link_id, tenant_id, campaign_id, offer_id, host, slug, status, expires_at, fallback_url, sub_ids, utm, targets,
  published_version >= version as published, created_at,
  exists (select 1 from offers o where o.offer_id = links.offer_id and o.status = 'gone') as offer_gone`;

/** Inserts a link, on its tenant's own domain unless a host is named (`_` is the platform's). Null if the slug is taken there: the unique key decides, whoever's it is. */
export async function insertLink(
  tx: Tx,
  params: {
    link_id: string;
    tenant_id: string;
    campaign_id: string;
    offer_id: number;
    slug: string;
    host?: string | undefined;
    expires_at?: Date | undefined;
    fallback_url?: string | undefined;
    sub_ids?: Partial<Record<SubIdName, string>> | undefined;
    utm?: Partial<Record<UtmName, string>> | undefined;
    targets?: LinkTargets | undefined;
    at: Date;
  },
): Promise<LinkRow | null> {
  const { rows } = await tx.query<LinkRow>(
    `insert into links (link_id, tenant_id, campaign_id, offer_id, host, slug, expires_at, fallback_url, sub_ids, created_at, utm, targets)
     select $1, t.tenant_id, $3, $4, coalesce($10, t.custom_domain, '_'), $5, $6, $7, $8, $9, $11, $12 from tenants t where t.tenant_id = $2
     on conflict (host, slug) do nothing returning ${COLUMNS}`,
    [
      params.link_id,
      params.tenant_id,
      params.campaign_id,
      params.offer_id,
      params.slug,
      params.expires_at ?? null,
      params.fallback_url ?? null,
      JSON.stringify(params.sub_ids ?? {}),
      params.at,
      params.host ?? null,
      JSON.stringify(params.utm ?? {}),
      JSON.stringify(params.targets ?? {}),
    ],
  );
  return rows[0] ?? null;
}

export async function linkById(tx: Tx, params: { tenant_id: string; link_id: string }): Promise<LinkRow | null> {
  const { rows } = await tx.query<LinkRow>(`select ${COLUMNS} from links where tenant_id = $1 and link_id = $2`, [
    params.tenant_id,
    params.link_id,
  ]);
  return rows[0] ?? null;
}

/** Newest first, from behind `after`: a creation time in microseconds since the epoch, and the id that ties are broken by. */
export async function listLinks(
  tx: Tx,
  params: {
    tenant_id: string;
    campaign_id?: string | undefined;
    offer_id?: number | undefined;
    host?: string | undefined;
    status?: LinkStatus | undefined;
    /** A part of the slug, in whatever capitals. */
    search?: string | undefined;
    after?: { at: bigint; id: string } | undefined;
    limit: number;
  },
): Promise<(LinkRow & { at: bigint })[]> {
  const { rows } = await tx.query<LinkRow & { at: bigint }>(
    `select ${COLUMNS}, ${microsecondsOf('created_at')} as at from links
     where tenant_id = $1 and ($2::uuid is null or campaign_id = $2) and ($3::text is null or status = $3)
       and ($7::int is null or offer_id = $7) and ($8::text is null or host = $8)
       and ($9::text is null or position(lower($9) in lower(slug)) > 0)
       and ($4::bigint is null or (created_at, link_id) < (${fromMicroseconds('$4')}, $5::uuid))
     order by created_at desc, link_id desc limit $6`,
    [
      params.tenant_id,
      params.campaign_id ?? null,
      params.status ?? null,
      params.after?.at ?? null,
      params.after?.id ?? null,
      params.limit,
      params.offer_id ?? null,
      params.host ?? null,
      params.search ?? null,
    ],
  );
  return rows;
}

/** Changes what is given, as a new version; null if there is no such link or it is archived, which is for good. */
export async function updateLink(
  tx: Tx,
  params: {
    tenant_id: string;
    link_id: string;
    status?: LinkStatus | undefined;
    expires_at?: Date | null | undefined;
    fallback_url?: string | null | undefined;
    sub_ids?: Partial<Record<SubIdName, string>> | undefined;
    utm?: Partial<Record<UtmName, string>> | undefined;
    targets?: LinkTargets | undefined;
  },
): Promise<LinkRow | null> {
  const { rows } = await tx.query<LinkRow>(
    `update links set status = coalesce($3, status), expires_at = case when $4 then $5 else expires_at end,
       fallback_url = case when $6 then $7 else fallback_url end, sub_ids = coalesce($8::jsonb, sub_ids), utm = coalesce($9::jsonb, utm),
       targets = coalesce($10::jsonb, targets), version = version + 1
     where tenant_id = $1 and link_id = $2 and status <> 'archived' returning ${COLUMNS}`,
    [
      params.tenant_id,
      params.link_id,
      params.status ?? null,
      params.expires_at !== undefined,
      params.expires_at ?? null,
      params.fallback_url !== undefined,
      params.fallback_url ?? null,
      jsonOrNull(params.sub_ids),
      jsonOrNull(params.utm),
      jsonOrNull(params.targets),
    ],
  );
  return rows[0] ?? null;
}

function jsonOrNull(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

/** Links of any tenant whose copy in KV is behind, at most `limit`. */
export async function linksBehind(tx: Tx, params: { limit: number }): Promise<LinkToPublish[]> {
  const { rows } = await tx.query<LinkToPublish>('select * from links_to_publish($1)', [params.limit]);
  return rows;
}

/** Links of any tenant as they stand now, whether their copy is behind or not; unknown ids are left out. */
export async function linksToPublish(tx: Tx, params: { link_ids: readonly string[] }): Promise<LinkToPublish[]> {
  const { rows } = await tx.query<LinkToPublish>(
    'select p.* from unnest($1::uuid[]) as wanted(link_id) cross join lateral links_to_publish(1, wanted.link_id) p',
    [params.link_ids],
  );
  return rows;
}

/** Notes that KV holds these versions; a version older than the one noted changes nothing. */
export async function markPublished(
  tx: Tx,
  params: { links: readonly { link_id: string; version: bigint }[] },
): Promise<void> {
  // In the order of their ids, so that two sweeps at once do not wait for each other in a circle.
  const links = params.links.toSorted((a, b) => (a.link_id < b.link_id ? -1 : 1));
  await tx.query(
    'select link_published(link_id, version) from unnest($1::uuid[], $2::bigint[]) as put(link_id, version)',
    [links.map((link) => link.link_id), links.map((link) => link.version)],
  );
}
