import type { DeliveryReport } from '../../domain/delivery-report.ts';
import type { Tx } from '../types.ts';

type Row = {
  payout_id?: string;
  number?: number;
  kind?: string;
  subject?: string;
  message_id?: string;
  reason: string | null;
};

const VOUCHERS = { table: 'voucher_messages', key: 'payout_id, number' };
const NOTIFICATIONS = { table: 'notifications', key: 'kind, subject' };

/**
 * Writes down what the gateway reports. That a message arrived outweighs that it failed, in whatever order the two come, and each is written once; what is
 * about no message of ours changes nothing.
 *
 * @param at milliseconds since the Unix epoch
 * @returns how many messages it changed
 */
export async function recordDeliveryReports(tx: Tx, reports: readonly DeliveryReport[], at: number): Promise<number> {
  const vouchers = reports.filter(({ message }) => message.by === 'voucher');
  const notifications = reports.filter(({ message }) => message.by === 'notification');
  const byId = reports.filter(({ message }) => message.by === 'id');
  let changed = 0;
  for (const delivery of ['failed', 'delivered'] as const) {
    const apply = async (target: typeof VOUCHERS, match: string, among: readonly DeliveryReport[]) => {
      const rows = among.filter((report) => report.delivery === delivery).map(rowOf);
      if (rows.length > 0) changed += await write(tx, target, match, delivery, rows, at);
    };
    await apply(VOUCHERS, 'm.payout_id = r.payout_id and m.number = r.number', vouchers);
    await apply(VOUCHERS, 'm.message_id = r.message_id', byId);
    await apply(NOTIFICATIONS, 'm.kind = r.kind and m.subject = r.subject', notifications);
    await apply(NOTIFICATIONS, 'm.message_id = r.message_id', byId);
  }
  return changed;
}

function rowOf({ message, reason }: DeliveryReport): Row {
  switch (message.by) {
    case 'voucher':
      return { payout_id: message.payoutId, number: message.number, reason };
    case 'notification':
      return { kind: message.kind, subject: message.subject, reason };
    case 'id':
      return { message_id: message.messageId, reason };
  }
}

async function write(
  tx: Tx,
  { table, key }: typeof VOUCHERS,
  match: string,
  delivery: DeliveryReport['delivery'],
  rows: readonly Row[],
  at: number,
): Promise<number> {
  const isNews = delivery === 'failed' ? 'm.delivery is null' : `m.delivery is distinct from 'delivered'`;
  // Locked in key order: two calls with the same reports wait for one another.
  const { rowCount } = await tx.query(
    `with r as (
       select * from jsonb_to_recordset($1::jsonb) as r(payout_id uuid, number int, kind text, subject text, message_id text, reason text)),
     due as (
       select ${key} from ${table} m where ${isNews} and exists (select 1 from r where ${match}) order by ${key} for update)
     update ${table} m set delivery = $2, delivery_at = $3, delivery_reason = (select min(r.reason) from r where ${match})
     from due where (${columns('m', key)}) = (${columns('due', key)}) and ${isNews}`,
    [JSON.stringify(rows), delivery, new Date(at)],
  );
  return rowCount;
}

function columns(alias: string, key: string): string {
  return key
    .split(', ')
    .map((column) => `${alias}.${column}`)
    .join(', ');
}
