import { visitorOfUser } from '@hissaback/shared/db/queries/clicks';
import { isClick, isLink, isUser } from '@hissaback/shared/db/queries/unmatched';
import type { Tx } from '@hissaback/shared/db/types';
import { mintId } from '@hissaback/shared/domain/click-id';
import { encodeClickReference, verifyClickReference } from '@hissaback/shared/domain/click-reference';
import { keyringFrom } from '@hissaback/shared/domain/keyring';
import { mintUuid } from '@hissaback/shared/domain/uuid';
import { invalidField } from '@hissaback/shared/http/problem';
import type { Context } from 'hono';
import type { ApiContext } from '../context.ts';

/** A purchase follows its click; where there was none, one is made this long before it. Milliseconds. */
const BEFORE_MS = 1_000;

/**
 * What stands for an operator's click in a postback: the id of one there is, a reference of ours as it is, or, on a link, a reference of ours from which the ledger consumer makes the
 * click, just before the postback came, and the shopper's if one is named.
 *
 * @param receivedAt when the postback reached us
 * @throws ProblemError `invalid_field` (422) for a click or link that there is not
 */
export async function clickFor(
  c: Context<ApiContext>,
  tx: Tx,
  named: { click_id?: string | undefined; link_id?: string | undefined; user_id?: string | undefined },
  receivedAt: Date,
): Promise<string> {
  const { clock, random } = c.var;
  const ring = keyringFrom(c.env.REFERENCE_KEYS, 'REFERENCE_KEYS');
  if (named.click_id !== undefined) {
    const isReference = !/^\d+$/.test(named.click_id);
    const read = isReference ? await verifyClickReference(ring, named.click_id, receivedAt.getTime()) : null;
    // Behind a reference there may be no row: the ledger consumer makes it.
    const isKnown =
      read === null ? await isClick(tx, BigInt(named.click_id)) : read.ok && (await isLink(tx, read.linkId));
    if (!isKnown) throw invalidField('click_id', 'No such click');
    return named.click_id;
  }
  const linkId = named.link_id;
  if (linkId === undefined || !(await isLink(tx, linkId))) throw invalidField('link_id', 'No such link');
  if (named.user_id !== undefined && !(await isUser(tx, named.user_id))) throw invalidField('user_id', 'No such user');
  const visitorId =
    named.user_id === undefined
      ? null
      : await visitorOfUser(tx, { user_id: named.user_id, new_visitor: mintUuid(random), at: new Date(clock.now()) });
  const clickId = mintId({ now: () => receivedAt.getTime() - BEFORE_MS }, random);
  return encodeClickReference(ring, { clickId, linkId, visitorId });
}
