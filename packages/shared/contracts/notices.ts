import { z } from 'zod';
import { NOTICE_KINDS } from '../db/queries/notices.ts';
import { instant, pageQuery } from './fields.ts';

/** `GET /v1/notices`. */
export const noticeQuery = z.object({ ...pageQuery });

/** What a creator should know and no request of theirs would tell them. */
export const notice = z.object({
  notice_id: z.string(),
  /** offer_gone: the network no longer lists the offer, and the links to it rest; offer_back: it is listed again, and they lead on. */
  kind: z.enum(NOTICE_KINDS),
  offer_id: z.int().nullable(),
  brand: z.string().nullable(),
  /** How many links of the tenant's it is about. */
  links: z.int().nullable(),
  created_at: instant,
  read_at: instant.nullable(),
});
export const notices = z.array(notice);

export type Notice = z.output<typeof notice>;
