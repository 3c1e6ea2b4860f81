import type { World } from '../../../scripts/fuzz/request.ts';
import type { Stage } from '../stage.fake.ts';

/** Somebody of every role, and things of every kind, some of them another tenant's. */
export async function fuzzWorld(on: Stage): Promise<World> {
  const [own, other] = [await on.tenant(), await on.tenant()];
  const [shopper, operator] = [await on.user(), await on.operator()];
  const campaigns = [
    await on.campaign(own.tenant_id),
    await on.campaign(own.tenant_id),
    await on.campaign(other.tenant_id),
  ];
  const links = [await on.link(own.tenant_id), await on.link(own.tenant_id), await on.link(other.tenant_id)];
  const offers = [await on.offer(), await on.offer()].map(String);
  const make = async (path: string, json: object): Promise<Record<string, string>> => {
    const answer = await on.call('POST', path, { token: own.token, json });
    return answer.json ?? {};
  };
  const widget = await make('/v1/widgets', { campaign_id: campaigns[0] });
  const key = await make('/v1/api-keys', { name: 'Key', scopes: ['offers:read'] });
  const domain = await make('/v1/domains', { domain: `shop-${on.uuid().slice(0, 8)}.example.com` });
  const endpoint = await make('/v1/webhooks', { url: 'https://hooks.example.com/' });
  const nobody = on.uuid();
  const ids = {
    tenant_id: [own.tenant_id, own.tenant_id, other.tenant_id],
    campaign_id: campaigns,
    link_id: links,
    offer_id: offers,
    widget_id: [widget.widget_id ?? nobody, nobody],
    key_id: [key.key_id ?? nobody, nobody],
    domain_id: [domain.domain_id ?? nobody, nobody],
    endpoint_id: [endpoint.endpoint_id ?? nobody, nobody],
    user_id: [own.user_id, shopper.user_id, other.user_id],
    nobody: [nobody],
  };
  return {
    tokens: {
      shopper: shopper.token,
      creator: own.token,
      operator: operator.token,
      widget: await on.token({ sub: widget.widget_id ?? nobody, role: 'widget', tenantId: own.tenant_id }),
      cron: await on.token({ sub: 'cron', role: 'cron' }),
    },
    stranger: other.token,
    ids,
  };
}
