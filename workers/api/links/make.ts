import type { NewLink } from '@hissaback/shared/contracts/links';
import { PLATFORM_PREFIX } from '@hissaback/shared/contracts/published-link';
import { campaignById } from '@hissaback/shared/db/queries/campaigns';
import { isVerifiedDomain } from '@hissaback/shared/db/queries/domains';
import type { LinkRow } from '@hissaback/shared/db/queries/links';
import { activeTrackingLink } from '@hissaback/shared/db/queries/offers';
import type { Tx } from '@hissaback/shared/db/types';
import type { Random } from '@hissaback/shared/domain/chance';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { invalidField, ProblemError } from '@hissaback/shared/http/problem';
import { assertLinksOpen } from '../kill-switches/assert-open.ts';
import { insertWithSlug } from './insert.ts';
import { assertSameNetwork, targetsOf } from './targets.ts';

export type LinkMaker = { tenant_id: string; random: Random; at: Date };

/**
 * The campaign that a new link names, once it is known to be the tenant's.
 *
 * @throws ProblemError `not_found` (404)
 */
export async function ownCampaign(
  tx: Tx,
  tenant_id: string,
  campaign_id: string | undefined,
): Promise<{ isArchived: boolean }> {
  if (campaign_id === undefined) return { isArchived: false };
  const campaign = await campaignById(tx, { tenant_id, campaign_id });
  if (campaign === null) throw new ProblemError('not_found', { detail: 'No such campaign.' });
  return { isArchived: campaign.status === 'archived' };
}

/**
 * Makes one link in a campaign that `ownCampaign` has passed.
 *
 * @throws ProblemError `unavailable` (503) while a kill switch stops new links, `conflict` (409) for an archived campaign or a slug that is taken,
 * `invalid_field` (422)
 */
export async function makeLink(
  tx: Tx,
  link: NewLink,
  campaign: { isArchived: boolean },
  { tenant_id, random, at }: LinkMaker,
): Promise<LinkRow> {
  await assertLinksOpen(tx, tenant_id);
  if (campaign.isArchived) throw new ProblemError('conflict', { detail: 'The campaign is archived.' });
  if (link.expires_at !== undefined && link.expires_at <= at) throw invalidField('expires_at', 'Must lie ahead');
  const trackingLink = await activeTrackingLink(tx, link);
  if (trackingLink === null) throw invalidField('offer_id', 'No such offer');
  assertSameNetwork(link.devices, trackingLink);
  const { domain, countries, devices, ...rest } = link;
  if (domain && !(await isVerifiedDomain(tx, { tenant_id, domain }))) {
    throw invalidField('domain', 'Is not a verified domain of yours');
  }
  const host = domain === null ? PLATFORM_PREFIX : domain;
  const targets = targetsOf(countries, devices);
  return insertWithSlug(tx, { ...rest, host, targets, link_id: mintUuid(random), tenant_id, at }, random);
}
