import type { WidgetConfig } from '../../contracts/widgets.ts';
import type { Tx } from '../types.ts';
import { fromMicroseconds, microsecondsOf } from './time.ts';

export type WidgetRow = {
  widget_id: string;
  tenant_id: string;
  campaign_id: string;
  config: WidgetConfig;
  created_at: Date;
};
export type WidgetTokenRow = { token_id: string; created_at: Date; expires_at: Date };

/** Tokens a widget may have in use at once. */
export const MAX_WIDGET_TOKENS = 20;

const COLUMNS = 'widget_id, tenant_id, campaign_id, config_json as config, created_at';

export async function insertWidget(
  tx: Tx,
  params: { widget_id: string; tenant_id: string; campaign_id: string; config: WidgetConfig; at: Date },
): Promise<WidgetRow> {
  const { rows } = await tx.query<WidgetRow>(
    `insert into widgets (widget_id, tenant_id, campaign_id, config_json, created_at) values ($1, $2, $3, $4, $5) returning ${COLUMNS}`,
    [params.widget_id, params.tenant_id, params.campaign_id, JSON.stringify(params.config), params.at],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the widget was not written');
  return row;
}

/** A widget that is not archived. */
export async function widgetById(tx: Tx, params: { tenant_id: string; widget_id: string }): Promise<WidgetRow | null> {
  const { rows } = await tx.query<WidgetRow>(
    `select ${COLUMNS} from widgets where tenant_id = $1 and widget_id = $2 and archived_at is null`,
    [params.tenant_id, params.widget_id],
  );
  return rows[0] ?? null;
}

/** The tenant's widgets, newest first, from behind `after`: a creation time in microseconds since the epoch and the id that ties are broken by. */
export async function listWidgets(
  tx: Tx,
  params: {
    tenant_id: string;
    campaign_id?: string | undefined;
    after?: { at: bigint; id: string } | undefined;
    limit: number;
  },
): Promise<(WidgetRow & { at: bigint })[]> {
  const { rows } = await tx.query<WidgetRow & { at: bigint }>(
    `select ${COLUMNS}, ${microsecondsOf('created_at')} as at from widgets
     where tenant_id = $1 and archived_at is null and ($2::uuid is null or campaign_id = $2)
       and ($3::bigint is null or (created_at, widget_id) < (${fromMicroseconds('$3')}, $4::uuid))
     order by created_at desc, widget_id desc limit $5`,
    [params.tenant_id, params.campaign_id ?? null, params.after?.at ?? null, params.after?.id ?? null, params.limit],
  );
  return rows;
}

/** Changes what is given and leaves the rest. Null if there is no such widget. */
export async function updateWidget(
  tx: Tx,
  params: {
    tenant_id: string;
    widget_id: string;
    campaign_id?: string | undefined;
    config?: WidgetConfig | undefined;
  },
): Promise<WidgetRow | null> {
  const { rows } = await tx.query<WidgetRow>(
    `update widgets set campaign_id = coalesce($3, campaign_id), config_json = coalesce($4, config_json)
     where tenant_id = $1 and widget_id = $2 and archived_at is null returning ${COLUMNS}`,
    [
      params.tenant_id,
      params.widget_id,
      params.campaign_id ?? null,
      params.config === undefined ? null : JSON.stringify(params.config),
    ],
  );
  return rows[0] ?? null;
}

/** Takes a widget out of use, and its tokens with it. False if there is no such widget. */
export async function archiveWidget(
  tx: Tx,
  params: { tenant_id: string; widget_id: string; at: Date },
): Promise<boolean> {
  const values = [params.tenant_id, params.widget_id, params.at];
  const { rowCount } = await tx.query(
    'update widgets set archived_at = $3 where tenant_id = $1 and widget_id = $2 and archived_at is null',
    values,
  );
  if (rowCount !== 1) return false;
  await tx.query(
    'update widget_tokens set revoked_at = $3 where tenant_id = $1 and widget_id = $2 and revoked_at is null',
    values,
  );
  return true;
}

/** Writes a token of a widget down, unless the widget has its fill. */
export async function insertWidgetToken(
  tx: Tx,
  params: {
    token_id: string;
    tenant_id: string;
    widget_id: string;
    created_by: string;
    at: Date;
    expires_at: Date;
  },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into widget_tokens (token_id, tenant_id, widget_id, created_by, created_at, expires_at)
     select $1, $2, $3, $4, $5, $6
     where (select count(*) from widget_tokens where tenant_id = $2 and widget_id = $3 and revoked_at is null and expires_at > $5) < $7`,
    [
      params.token_id,
      params.tenant_id,
      params.widget_id,
      params.created_by,
      params.at,
      params.expires_at,
      MAX_WIDGET_TOKENS,
    ],
  );
  return rowCount === 1;
}

/** A widget's tokens in use, newest first. */
export async function listWidgetTokens(
  tx: Tx,
  params: { tenant_id: string; widget_id: string; at: Date },
): Promise<WidgetTokenRow[]> {
  const { rows } = await tx.query<WidgetTokenRow>(
    `select token_id, created_at, expires_at from widget_tokens
     where tenant_id = $1 and widget_id = $2 and revoked_at is null and expires_at > $3 order by created_at desc, token_id`,
    [params.tenant_id, params.widget_id, params.at],
  );
  return rows;
}

/** Revokes a widget's token. False if there is none such in use. */
export async function revokeWidgetToken(
  tx: Tx,
  params: { tenant_id: string; widget_id: string; token_id: string; at: Date },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update widget_tokens set revoked_at = $4
     where tenant_id = $1 and widget_id = $2 and token_id = $3 and revoked_at is null`,
    [params.tenant_id, params.widget_id, params.token_id, params.at],
  );
  return rowCount === 1;
}

/** True while a token, its widget and its tenant are in use. */
export async function isWidgetTokenLive(
  tx: Tx,
  params: { tenant_id: string; widget_id: string; token_id: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `select 1 from widget_tokens k
     join widgets w on w.tenant_id = k.tenant_id and w.widget_id = k.widget_id and w.archived_at is null
     join tenants t on t.tenant_id = k.tenant_id and t.status = 'active'
     where k.tenant_id = $1 and k.widget_id = $2 and k.token_id = $3 and k.revoked_at is null`,
    [params.tenant_id, params.widget_id, params.token_id],
  );
  return rowCount === 1;
}
