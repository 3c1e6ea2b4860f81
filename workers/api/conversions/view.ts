import type { Conversion } from '@hissaback/shared/contracts/conversions';
import type { ConversionRow } from '@hissaback/shared/db/queries/conversions';
import { clickIdTime } from '@hissaback/shared/domain/click-id';

/** A conversion as its creator sees it: without whoever bought. */
export function conversionView(row: ConversionRow): Conversion {
  return {
    conv_id: String(row.conv_id),
    link_id: row.link_id,
    campaign_id: row.campaign_id,
    offer_id: row.offer_id,
    brand: row.brand,
    order_id: row.txn_id,
    order_value: row.order_value,
    net_commission: row.net_commission,
    currency: row.currency,
    status: row.status,
    country: row.country,
    click_country: row.click_country,
    device: row.device,
    sub_id: row.sub_id,
    clicked_at: new Date(clickIdTime(row.click_id)).toISOString(),
    created_at: row.created_at.toISOString(),
    received_at: row.received_at.toISOString(),
    rewards: row.rewards.map((reward) => ({
      ...reward,
      release_at: instant(reward.release_at),
      status_at: instant(reward.status_at),
    })),
    history: row.history.map((entry) => ({ ...entry, at: instant(entry.at) })),
  };
}

function instant(text: string): string {
  return new Date(text).toISOString();
}
