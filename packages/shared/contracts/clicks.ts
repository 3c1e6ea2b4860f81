import { z } from 'zod';
import { uuid } from './fields.ts';

/** `POST /v1/events/click`: `user_id` may only be the token's own subject (money rule 9). */
export const newClick = z.strictObject({ link_id: uuid, user_id: uuid.optional() });

/** The click reference: hand it on as `hb_ref` on the smart link, or as `p1` on the tracking link. */
export const createdClick = z.object({ click_id: z.string().length(76) });
