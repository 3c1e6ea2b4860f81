/** What a fresh stack shows: two creators' tenants, their campaigns and links, and the people who log in. */

const id = (n: number): string => `5eed0000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** When all of it was founded; no row of the seed depends on the day it is written. */
export const FOUNDED = new Date('2026-01-01T00:00:00Z');

export const PEOPLE = [
  { user_id: id(1), phone: '+919810000001', name: 'Asha (creator)' },
  { user_id: id(2), phone: '+919810000002', name: 'Ravi (shopper)' },
  { user_id: id(3), phone: '+919810000003', name: 'Meera (operator)' },
  { user_id: id(4), phone: '+919810000004', name: 'Kabir (creator)' },
] as const;

export const [CREATOR, SHOPPER, OPERATOR, OTHER_CREATOR] = PEOPLE;

/** The demo tenant has the publisher id of the sandbox network's own account. */
export const TENANTS = [
  { tenant_id: id(10), name: 'Asha Shares', trackier_pid: '7001', default_share_pct: '50.00', owner: CREATOR.user_id },
  {
    tenant_id: id(11),
    name: 'Kabir Deals',
    trackier_pid: '7002',
    default_share_pct: '40.00',
    owner: OTHER_CREATOR.user_id,
  },
] as const;

export const [DEMO_TENANT, OTHER_TENANT] = TENANTS;

export const CAMPAIGNS = [
  { campaign_id: id(20), tenant_id: DEMO_TENANT.tenant_id, name: 'Half and half', share_pct: '50.00' },
  { campaign_id: id(21), tenant_id: DEMO_TENANT.tenant_id, name: 'Festival: most of it is yours', share_pct: '70.00' },
  { campaign_id: id(22), tenant_id: OTHER_TENANT.tenant_id, name: 'Kabir picks', share_pct: '40.00' },
] as const;

const [HALF, FESTIVAL, PICKS] = CAMPAIGNS;

export const LINKS = [
  { link_id: id(30), ...of(HALF), offer_id: 1001, slug: 'demo' },
  { link_id: id(31), ...of(HALF), offer_id: 1010, slug: 'ayur' },
  { link_id: id(32), ...of(HALF), offer_id: 1002, slug: 'voltkart' },
  { link_id: id(33), ...of(FESTIVAL), offer_id: 1003, slug: 'safar' },
  { link_id: id(34), ...of(FESTIVAL), offer_id: 1005, slug: 'glow' },
  { link_id: id(35), ...of(PICKS), offer_id: 1006, slug: 'threads' },
  { link_id: id(36), ...of(PICKS), offer_id: 1009, slug: 'basket' },
] as const;

/** The demo link, and the one whose offer has no cool-off: what is bought through it is paid within minutes. */
export const [DEMO_LINK, INSTANT_LINK] = LINKS;

/** Days of cool-off where they are not the usual 30. */
export const COOL_OFF_DAYS: ReadonlyMap<number, number> = new Map([[INSTANT_LINK.offer_id, 0]]);

function of<Campaign extends { campaign_id: string; tenant_id: string }>({ campaign_id, tenant_id }: Campaign) {
  return { campaign_id, tenant_id };
}
