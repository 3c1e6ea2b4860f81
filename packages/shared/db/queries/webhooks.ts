import type { DELIVERY_STATUSES, ENDPOINT_STATUSES, WebhookEvent } from '../../contracts/webhooks.ts';
import type { Tx } from '../types.ts';
import { fromMicroseconds, microsecondsOf } from './time.ts';

export type EndpointStatus = (typeof ENDPOINT_STATUSES)[number];

export type EndpointRow = {
  endpoint_id: string;
  url: string;
  description: string | null;
  events: WebhookEvent[];
  status: EndpointStatus;
  failures: number;
  failing_since: Date | null;
  previous_until: Date | null;
  created_at: Date;
  status_at: Date;
};

// The api may not read a secret: no column of it is named here.
const COLUMNS =
  'endpoint_id, url, description, events, status, failures, failing_since, previous_until, created_at, status_at';

/** A tenant's endpoints, oldest first. */
export async function listEndpoints(tx: Tx, params: { tenant_id: string }): Promise<EndpointRow[]> {
  const { rows } = await tx.query<EndpointRow>(
    `select ${COLUMNS} from webhook_endpoints where tenant_id = $1 and status <> 'removed' order by created_at, endpoint_id`,
    [params.tenant_id],
  );
  return rows;
}

export async function endpointById(
  tx: Tx,
  params: { tenant_id: string; endpoint_id: string },
): Promise<EndpointRow | null> {
  const { rows } = await tx.query<EndpointRow>(
    `select ${COLUMNS} from webhook_endpoints where tenant_id = $1 and endpoint_id = $2 and status <> 'removed'`,
    [params.tenant_id, params.endpoint_id],
  );
  return rows[0] ?? null;
}

export async function insertEndpoint(
  tx: Tx,
  params: {
    endpoint_id: string;
    tenant_id: string;
    url: string;
    description: string | null;
    events: readonly WebhookEvent[];
    /** Encrypted, as everywhere below the handlers. */
    secret: string;
    at: Date;
  },
): Promise<EndpointRow> {
  const { rows } = await tx.query<EndpointRow>(
    `insert into webhook_endpoints (endpoint_id, tenant_id, url, description, events, secret, created_at, status_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7) returning ${COLUMNS}`,
    [params.endpoint_id, params.tenant_id, params.url, params.description, params.events, params.secret, params.at],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('an insert without a row');
  return row;
}

/** Changes what is given. Enabled again, an endpoint begins without failures. Null if there is no such endpoint. */
export async function updateEndpoint(
  tx: Tx,
  params: {
    tenant_id: string;
    endpoint_id: string;
    url?: string | undefined;
    description?: string | null | undefined;
    events?: readonly WebhookEvent[] | undefined;
    status?: 'enabled' | 'disabled' | undefined;
    at: Date;
  },
): Promise<EndpointRow | null> {
  const { rows } = await tx.query<EndpointRow>(
    `update webhook_endpoints set url = coalesce($3, url), description = case when $4 then $5 else description end, events = coalesce($6, events),
       status = coalesce($7, status), status_at = case when coalesce($7, status) <> status then $8::timestamptz else status_at end,
       failures = case when $7 = 'enabled' then 0 else failures end, failing_since = case when $7 = 'enabled' then null else failing_since end
     where tenant_id = $1 and endpoint_id = $2 and status <> 'removed' returning ${COLUMNS}`,
    [
      params.tenant_id,
      params.endpoint_id,
      params.url ?? null,
      params.description !== undefined,
      params.description ?? null,
      params.events ?? null,
      params.status ?? null,
      params.at,
    ],
  );
  return rows[0] ?? null;
}

/** Gives an endpoint a new secret; the one before signs beside it until `until`. Null if there is no such endpoint. */
export async function rotateSecret(
  tx: Tx,
  params: { tenant_id: string; endpoint_id: string; secret: string; until: Date },
): Promise<EndpointRow | null> {
  const { rows } = await tx.query<EndpointRow>(
    `update webhook_endpoints set secret = $3, previous_until = $4
     where tenant_id = $1 and endpoint_id = $2 and status <> 'removed' returning ${COLUMNS}`,
    [params.tenant_id, params.endpoint_id, params.secret, params.until],
  );
  return rows[0] ?? null;
}

/** Takes an endpoint away for good, with its secrets; its waiting deliveries end. False if there is no such endpoint. */
export async function removeEndpoint(
  tx: Tx,
  params: { tenant_id: string; endpoint_id: string; at: Date },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update webhook_endpoints set status = 'removed', secret = '', previous_until = null, status_at = $3
     where tenant_id = $1 and endpoint_id = $2 and status <> 'removed'`,
    [params.tenant_id, params.endpoint_id, params.at],
  );
  return rowCount > 0;
}

/** Ends what waits for an endpoint that hears nothing any more; each can be replayed. */
export async function endWaiting(tx: Tx, params: { tenant_id: string; endpoint_id: string }): Promise<void> {
  await tx.query(
    `update webhook_deliveries set status = 'failed', error = 'endpoint_disabled'
     where tenant_id = $1 and endpoint_id = $2 and status = 'pending'`,
    [params.tenant_id, params.endpoint_id],
  );
}

export type DeliveryRow = {
  delivery_id: string;
  event_id: string;
  type: WebhookEvent;
  status: (typeof DELIVERY_STATUSES)[number];
  attempts: number;
  next_attempt_at: Date;
  replay_of: string | null;
  response_status: number | null;
  response_body: string | null;
  error: string | null;
  duration_ms: number | null;
  created_at: Date;
  attempted_at: Date | null;
  delivered_at: Date | null;
};

const DELIVERY = `d.delivery_id, d.event_id, e.type, d.status, d.attempts, d.next_attempt_at, d.replay_of, d.response_status, d.response_body, d.error,
  d.duration_ms, d.created_at, d.attempted_at, d.delivered_at`;
const DELIVERIES =
  'webhook_deliveries d join webhook_events e on e.tenant_id = d.tenant_id and e.event_id = d.event_id';

/** An endpoint's deliveries, newest first, from behind `after`: a creation time in microseconds since the epoch, and the id that ties are broken by. */
export async function listDeliveries(
  tx: Tx,
  params: {
    tenant_id: string;
    endpoint_id: string;
    status?: DeliveryRow['status'] | undefined;
    after?: { at: bigint; id: string } | undefined;
    limit: number;
  },
): Promise<(DeliveryRow & { at: bigint })[]> {
  const { rows } = await tx.query<DeliveryRow & { at: bigint }>(
    `select ${DELIVERY}, ${microsecondsOf('d.created_at')} as at from ${DELIVERIES}
     where d.tenant_id = $1 and d.endpoint_id = $2 and ($3::text is null or d.status = $3)
       and ($4::bigint is null or (d.created_at, d.delivery_id) < (${fromMicroseconds('$4')}, $5::uuid))
     order by d.created_at desc, d.delivery_id desc limit $6`,
    [
      params.tenant_id,
      params.endpoint_id,
      params.status ?? null,
      params.after?.at ?? null,
      params.after?.id ?? null,
      params.limit,
    ],
  );
  return rows;
}

/** Sends an event again, as a delivery of its own. Null if the endpoint has no such delivery. */
export async function replayDelivery(
  tx: Tx,
  params: { tenant_id: string; endpoint_id: string; delivery_id: string; new_delivery: string; at: Date },
): Promise<DeliveryRow | null> {
  await tx.query(
    `insert into webhook_deliveries (delivery_id, tenant_id, endpoint_id, event_id, next_attempt_at, replay_of, created_at)
     select $4, tenant_id, endpoint_id, event_id, $5, delivery_id, $5 from webhook_deliveries
     where tenant_id = $1 and endpoint_id = $2 and delivery_id = $3`,
    [params.tenant_id, params.endpoint_id, params.delivery_id, params.new_delivery, params.at],
  );
  const { rows } = await tx.query<DeliveryRow>(
    `select ${DELIVERY} from ${DELIVERIES} where d.tenant_id = $1 and d.delivery_id = $2`,
    [params.tenant_id, params.new_delivery],
  );
  return rows[0] ?? null;
}
