import type { Delivery, Endpoint } from '@hissaback/shared/contracts/webhooks';
import type { DeliveryRow, EndpointRow } from '@hissaback/shared/db/queries/webhooks';

/**
 * An endpoint as the API shows it.
 *
 * @param now milliseconds since the Unix epoch
 */
export function endpointView(row: EndpointRow, now: number): Endpoint {
  const rotating = row.previous_until !== null && row.previous_until.getTime() > now;
  return {
    endpoint_id: row.endpoint_id,
    url: row.url,
    description: row.description,
    events: row.events,
    status: row.status,
    failures: row.failures,
    failing_since: row.failing_since?.toISOString() ?? null,
    previous_secret_until: rotating ? (row.previous_until?.toISOString() ?? null) : null,
    created_at: row.created_at.toISOString(),
    status_at: row.status_at.toISOString(),
  };
}

/** A delivery as the API shows it. */
export function deliveryView(row: DeliveryRow): Delivery {
  return {
    delivery_id: row.delivery_id,
    event_id: row.event_id,
    type: row.type,
    status: row.status,
    attempts: row.attempts,
    next_attempt_at: row.status === 'pending' ? row.next_attempt_at.toISOString() : null,
    replay_of: row.replay_of,
    response_status: row.response_status,
    response_body: row.response_body,
    error: row.error,
    duration_ms: row.duration_ms,
    created_at: row.created_at.toISOString(),
    attempted_at: row.attempted_at?.toISOString() ?? null,
    delivered_at: row.delivered_at?.toISOString() ?? null,
  };
}
