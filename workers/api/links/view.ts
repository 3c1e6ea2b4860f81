import type { Link } from '@hissaback/shared/contracts/links';
import { smartLink } from '@hissaback/shared/contracts/publish';
import { PLATFORM_PREFIX } from '@hissaback/shared/contracts/published-link';
import type { LinkRow } from '@hissaback/shared/db/queries/links';
import { countriesOf, devicesOf } from './targets.ts';

/** A link as the API shows it. `origin` is the platform's. */
export function linkView(row: LinkRow, origin: string): Link {
  return {
    link_id: row.link_id,
    smart_link: smartLink(origin, row),
    tenant_id: row.tenant_id,
    campaign_id: row.campaign_id,
    offer_id: row.offer_id,
    slug: row.slug,
    domain: row.host === PLATFORM_PREFIX ? null : row.host,
    status: row.status,
    offer_gone: row.offer_gone,
    expires_at: row.expires_at?.toISOString() ?? null,
    fallback_url: row.fallback_url,
    sub_ids: row.sub_ids,
    utm: row.utm,
    countries: countriesOf(row.targets),
    devices: devicesOf(row.targets),
    published: row.published,
    created_at: row.created_at.toISOString(),
  };
}
