import type { Tx } from '../types.ts';

/** The visitor id that stands for a user in click references, made at the first asking; `new_visitor` is used if there is none yet. */
export async function visitorOfUser(
  tx: Tx,
  params: { user_id: string; new_visitor: string; at: Date },
): Promise<string> {
  const { rows } = await tx.query<{ visitor_id: string }>('select visitor_of_user($1, $2, $3) as visitor_id', [
    params.user_id,
    params.new_visitor,
    params.at,
  ]);
  const [row] = rows;
  if (row === undefined) throw new Error('a function without a row');
  return row.visitor_id;
}
