import type { Tx } from '../types.ts';
import { fromMicroseconds, microsecondsOf } from './time.ts';

export const NOTICE_KINDS = ['offer_gone', 'offer_back'] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Who promotes these offers: every tenant with an active link to one, and how many links. */
export async function tenantsPromoting(
  tx: Tx,
  offerIds: readonly number[],
): Promise<{ tenant_id: string; offer_id: number; links: number }[]> {
  if (offerIds.length === 0) return [];
  const { rows } = await tx.query<{ tenant_id: string; offer_id: number; links: number }>(
    `select tenant_id, offer_id, count(*)::int as links from links where offer_id = any($1::int[]) and status = 'active'
     group by tenant_id, offer_id order by tenant_id, offer_id`,
    [offerIds],
  );
  return rows;
}

export type NewNotice = {
  noticeId: bigint;
  tenantId: string;
  kind: NoticeKind;
  offerId: number;
  details: Record<string, number | string>;
};

/** Tells creators something. `at` in milliseconds since the Unix epoch. */
export async function insertNotices(tx: Tx, notices: readonly NewNotice[], at: number): Promise<void> {
  if (notices.length === 0) return;
  await tx.query(
    `insert into notices (notice_id, tenant_id, kind, offer_id, details, created_at)
     select * , $6::timestamptz from unnest($1::bigint[], $2::uuid[], $3::text[], $4::int[], $5::jsonb[])`,
    [
      notices.map((notice) => notice.noticeId),
      notices.map((notice) => notice.tenantId),
      notices.map((notice) => notice.kind),
      notices.map((notice) => notice.offerId),
      notices.map((notice) => JSON.stringify(notice.details)),
      new Date(at),
    ],
  );
}

export type NoticeRow = {
  notice_id: bigint;
  kind: NoticeKind;
  offer_id: number | null;
  brand: string | null;
  details: Record<string, unknown>;
  created_at: Date;
  read_at: Date | null;
  at: bigint;
};

const COLUMNS = `n.notice_id, n.kind, n.offer_id, o.brand, n.details, n.created_at, n.read_at, ${microsecondsOf('n.created_at')} as at`;

/** A tenant's notices, newest first, from behind `after`. Runs in `withTenant`. */
export async function listNotices(
  tx: Tx,
  params: { tenant_id: string; after?: { at: bigint; id: bigint } | undefined; limit: number },
): Promise<NoticeRow[]> {
  const { rows } = await tx.query<NoticeRow>(
    `select ${COLUMNS} from notices n left join offers o on o.offer_id = n.offer_id
     where n.tenant_id = $1 and ($2::bigint is null or (n.created_at, n.notice_id) < (${fromMicroseconds('$2')}, $3::bigint))
     order by n.created_at desc, n.notice_id desc limit $4`,
    [params.tenant_id, params.after?.at ?? null, params.after?.id ?? null, params.limit],
  );
  return rows;
}

/** Marks a notice as read, once, and tells it; null if the tenant has no such one. Runs in `withTenant`. */
export async function readNotice(
  tx: Tx,
  params: { tenant_id: string; notice_id: bigint; at: Date },
): Promise<NoticeRow | null> {
  await tx.query('update notices set read_at = $3 where tenant_id = $1 and notice_id = $2 and read_at is null', [
    params.tenant_id,
    params.notice_id,
    params.at,
  ]);
  const { rows } = await tx.query<NoticeRow>(
    `select ${COLUMNS} from notices n left join offers o on o.offer_id = n.offer_id where n.tenant_id = $1 and n.notice_id = $2`,
    [params.tenant_id, params.notice_id],
  );
  return rows[0] ?? null;
}
