import type { Notice } from '@hissaback/shared/contracts/notices';
import type { NoticeRow } from '@hissaback/shared/db/queries/notices';

/** A notice as its tenant reads it. */
export function noticeView(row: NoticeRow): Notice {
  const { links } = row.details;
  return {
    notice_id: String(row.notice_id),
    kind: row.kind,
    offer_id: row.offer_id,
    brand: row.brand,
    links: typeof links === 'number' ? links : null,
    created_at: row.created_at.toISOString(),
    read_at: row.read_at?.toISOString() ?? null,
  };
}
