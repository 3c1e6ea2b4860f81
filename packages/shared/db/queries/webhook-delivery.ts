import type { WebhookEvent, WebhookMessage } from '../../contracts/webhooks.ts';
import type { Tx } from '../types.ts';

/**
 * Deliveries of any tenant that are due, taken until `leasedUntil`: whoever loses one leaves it to the run after that. Those of a disabled endpoint
 * wait. They are found by when they are due: a join to the endpoints would read all that an endpoint was ever told.
 */
export async function claimDeliveries(
  tx: Tx,
  params: { now: Date; leasedUntil: Date; limit: number },
): Promise<WebhookMessage[]> {
  const { rows } = await tx.query<WebhookMessage>(
    `update webhook_deliveries d set next_attempt_at = $2
     where d.delivery_id in (
       select w.delivery_id from webhook_deliveries w
       where w.status = 'pending' and w.next_attempt_at <= $1
         and (select e.status from webhook_endpoints e where e.tenant_id = w.tenant_id and e.endpoint_id = w.endpoint_id) = 'enabled'
       order by w.next_attempt_at limit $3 for update of w skip locked)
     returning d.delivery_id, d.attempts`,
    [params.now, params.leasedUntil, params.limit],
  );
  return rows;
}

/** A delivery at the beginning of an attempt: what to send, where to, and the secrets that sign it, encrypted. */
export type Attempt = {
  delivery_id: string;
  tenant_id: string;
  endpoint_id: string;
  event_id: string;
  /** Of this attempt; 1 is the first. */
  attempt: number;
  url: string;
  secrets: string[];
  type: WebhookEvent;
  occurred_at: Date;
  data: Record<string, unknown>;
  link_id: string | null;
  campaign_id: string | null;
  offer_id: number | null;
  order_value: string | null;
  conversion_at: Date;
};

/**
 * Begins the attempts that messages ask for. One that has begun already, from another copy of the message, is not among them, nor one whose endpoint
 * hears nothing any more.
 */
export async function beginAttempts(
  tx: Tx,
  params: { messages: readonly WebhookMessage[]; at: Date },
): Promise<Attempt[]> {
  const { rows } = await tx.query<Attempt>(
    `with wanted as (
       select distinct on (delivery_id) * from unnest($1::uuid[], $2::int[]) as w(delivery_id, attempts) order by delivery_id, attempts desc
     ), begun as (
       update webhook_deliveries d set attempts = d.attempts + 1, attempted_at = $3
       from wanted w, webhook_endpoints e
       where d.delivery_id = w.delivery_id and d.attempts = w.attempts and d.status = 'pending'
         and e.tenant_id = d.tenant_id and e.endpoint_id = d.endpoint_id and e.status = 'enabled'
       returning d.delivery_id, d.tenant_id, d.endpoint_id, d.event_id, d.attempts as attempt, e.url,
         case when e.previous_until > $3 then array[e.secret, e.previous_secret] else array[e.secret] end as secrets
     )
     select b.*, v.type, v.occurred_at, v.data, c.link_id, c.campaign_id, c.offer_id, c.order_value, v.conv_created_at as conversion_at
     from begun b
     join webhook_events v on v.tenant_id = b.tenant_id and v.event_id = b.event_id
     left join conversions c on c.conv_id = v.conv_id and c.tenant_id = v.tenant_id and c.created_at = v.conv_created_at
     order by b.delivery_id`,
    [params.messages.map((one) => one.delivery_id), params.messages.map((one) => one.attempts), params.at],
  );
  return rows;
}

/** How an attempt ended. `next` is when the next one is due; null: there is none. */
export type AttemptEnd = {
  delivery_id: string;
  attempt: number;
  delivered: boolean;
  next: Date | null;
  response_status: number | null;
  response_body: string | null;
  error: string | null;
  duration_ms: number;
};

/** Notes how attempts ended. An attempt that another has followed meanwhile changes nothing. */
export async function endAttempts(tx: Tx, params: { ends: readonly AttemptEnd[]; at: Date }): Promise<void> {
  await tx.query(
    `update webhook_deliveries d set
       status = case when r.delivered then 'delivered' when r.next is null then 'failed' else 'pending' end,
       next_attempt_at = coalesce(r.next, d.next_attempt_at), response_status = r.response_status, response_body = r.response_body, error = r.error,
       duration_ms = r.duration_ms, delivered_at = case when r.delivered then $2::timestamptz end
     from jsonb_to_recordset($1::jsonb) as r(delivery_id uuid, attempt int, delivered boolean, next timestamptz, response_status int, response_body text,
       error text, duration_ms int)
     where d.delivery_id = r.delivery_id and d.attempts = r.attempt and d.status = 'pending'`,
    [JSON.stringify(params.ends), params.at],
  );
}

/** What a batch says of an endpoint: failures behind its last success, and whether there was one. */
export type EndpointOutcome = { tenant_id: string; endpoint_id: string; failures: number; succeeded: boolean };

/** Counts failures in a row, from the last success on; answers the endpoints that failed, in the order of their ids. */
export async function countFailures(
  tx: Tx,
  params: { outcomes: readonly EndpointOutcome[]; at: Date },
): Promise<{ tenant_id: string; endpoint_id: string; failures: number; failing_since: Date }[]> {
  const outcomes = params.outcomes.toSorted((a, b) => (a.endpoint_id < b.endpoint_id ? -1 : 1));
  await tx.query(
    'select 1 from webhook_endpoints where endpoint_id = any($1::uuid[]) order by endpoint_id for no key update',
    [outcomes.map((one) => one.endpoint_id)],
  );
  const { rows } = await tx.query<{ tenant_id: string; endpoint_id: string; failures: number; failing_since: Date }>(
    `update webhook_endpoints e set
       failures = case when r.succeeded then 0 else e.failures end + r.failures,
       failing_since = case when r.failures = 0 then null when r.succeeded then $2::timestamptz else coalesce(e.failing_since, $2) end
     from jsonb_to_recordset($1::jsonb) as r(tenant_id uuid, endpoint_id uuid, failures int, succeeded boolean)
     where e.tenant_id = r.tenant_id and e.endpoint_id = r.endpoint_id and e.status = 'enabled'
       and (r.failures > 0 or e.failures > 0)
     returning e.tenant_id, e.endpoint_id, e.failures, e.failing_since`,
    [JSON.stringify(outcomes), params.at],
  );
  return rows.filter((row) => row.failures > 0);
}

/** Disables an endpoint for lasting failure, with a line in the audit log; what waits for it ends. */
export async function disableFailing(
  tx: Tx,
  params: { tenant_id: string; endpoint_id: string; audit_id: bigint; failures: number; at: Date },
): Promise<void> {
  const { tenant_id, endpoint_id, audit_id, failures, at } = params;
  await tx.query(
    "update webhook_endpoints set status = 'failing', status_at = $3 where tenant_id = $1 and endpoint_id = $2 and status = 'enabled'",
    [tenant_id, endpoint_id, at],
  );
  await tx.query(
    `update webhook_deliveries set status = 'failed', error = 'endpoint_disabled'
     where tenant_id = $1 and endpoint_id = $2 and status = 'pending'`,
    [tenant_id, endpoint_id],
  );
  await tx.query(
    `insert into audit_log (audit_id, tenant_id, actor, action, subject, reason, details, created_at)
     values ($1, $2, 'system', 'webhook.disabled', $3, 'lasting failure', $4, $5)`,
    [audit_id, tenant_id, endpoint_id, JSON.stringify({ failures }), at],
  );
}

/** An endpoint's secrets as they are kept. */
export type KeptSecrets = { tenant_id: string; endpoint_id: string; secret: string; previous_secret: string | null };

/** Endpoints of any tenant, behind `after` in the order of their ids, with a secret that is not sealed with key `keyId`. */
export async function staleSecrets(
  tx: Tx,
  params: { keyId: number; after: string | null; limit: number },
): Promise<KeptSecrets[]> {
  const { rows } = await tx.query<KeptSecrets>(
    `select tenant_id, endpoint_id, secret, previous_secret from webhook_endpoints
     where status <> 'removed' and (secret not like $1 or previous_secret not like $1) and ($2::uuid is null or endpoint_id > $2)
     order by endpoint_id limit $3`,
    [`${params.keyId}.%`, params.after, params.limit],
  );
  return rows;
}

/** Keeps an endpoint's secrets under another key. False if they are no longer what they were: the next sweep looks again. */
export async function resealSecrets(tx: Tx, params: { before: KeptSecrets; after: KeptSecrets }): Promise<boolean> {
  const { before, after } = params;
  const { rowCount } = await tx.query(
    `update webhook_endpoints set secret = $3, previous_secret = $4
     where tenant_id = $1 and endpoint_id = $2 and secret = $5 and previous_secret is not distinct from $6`,
    [before.tenant_id, before.endpoint_id, after.secret, after.previous_secret, before.secret, before.previous_secret],
  );
  return rowCount === 1;
}

/** Forgets events from before `before`, with their deliveries, at most `limit`; and secrets whose time is over. Answers how many events. */
export async function forgetWebhooks(tx: Tx, params: { now: Date; before: Date; limit: number }): Promise<number> {
  const { rowCount } = await tx.query(
    `delete from webhook_events where event_id in (
       select event_id from webhook_events where occurred_at < $1 order by occurred_at limit $2)`,
    [params.before, params.limit],
  );
  await tx.query(
    'update webhook_endpoints set previous_secret = null, previous_until = null where previous_until <= $1',
    [params.now],
  );
  return rowCount;
}
