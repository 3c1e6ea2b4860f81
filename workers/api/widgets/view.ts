import type { Widget, WidgetToken } from '@hissaback/shared/contracts/widgets';
import type { WidgetRow, WidgetTokenRow } from '@hissaback/shared/db/queries/widgets';

/** A widget as the API shows it. */
export function widgetView(row: WidgetRow): Widget {
  return {
    widget_id: row.widget_id,
    tenant_id: row.tenant_id,
    campaign_id: row.campaign_id,
    config: row.config,
    created_at: row.created_at.toISOString(),
  };
}

/** A widget's token in the list of those in use, without the token. */
export function widgetTokenView(row: WidgetTokenRow): WidgetToken {
  return {
    token_id: row.token_id,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
  };
}
