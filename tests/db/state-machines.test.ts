import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  ID_TIME,
  insert,
  newId,
  outcome,
  type Row,
  seed,
  type TwoTenants,
  twoTenants,
} from '../support/two-tenants.ts';

const REFUSED = '23001';
const LEDGER = ['pending', 'review', 'confirmed', 'paid', 'rejected', 'reversed'];
const PAYOUTS = ['queued', 'sending', 'issued', 'paid', 'error_hard', 'error_soft', 'held', 'cancelled'];

let database: TestDatabase;
let client: pg.Client;
let world: TwoTenants;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  client = new pg.Client({ connectionString: database.owner });
  await client.connect();
  world = twoTenants();
  await seed(client, world);
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

function seeded(table: string): Row {
  const found = world.rows.find((row) => row.table === table);
  if (!found) throw new Error(`the seed has no row of ${table}`);
  return found.row;
}

/** Every pair of two different states. */
function pairs(states: string[]): [string, string][] {
  return states.flatMap((from) => states.filter((to) => to !== from).map((to): [string, string] => [from, to]));
}

async function undone<T>(work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    return await work();
  } finally {
    await client.query('rollback');
  }
}

describe('the ledger’s statuses', () => {
  const ALLOWED = new Set([
    ...['pending>review', 'pending>confirmed', 'pending>rejected', 'pending>reversed'],
    ...['review>pending', 'review>rejected', 'review>reversed'],
    ...['confirmed>paid', 'confirmed>reversed', 'paid>reversed', 'rejected>reversed'],
  ]);
  const REVIVAL = new Set(['rejected>pending', 'reversed>pending']);

  async function rewardIn(status: string): Promise<bigint> {
    const led_id = newId();
    const born = status === 'paid' ? 'confirmed' : status;
    await insert(client, 'ledger', { ...seeded('ledger'), led_id, seq: 7, status: born });
    if (status === 'paid') await client.query("update ledger set status = 'paid' where led_id = $1", [led_id]);
    return led_id;
  }
  function move(led_id: bigint, to: string): Promise<string> {
    return outcome(client, () => client.query('update ledger set status = $2 where led_id = $1', [led_id, to]));
  }

  test.each(pairs(LEDGER))('%s -> %s', async (from, to) => {
    await undone(async () => {
      const reward = await rewardIn(from);
      expect(await move(reward, to)).toBe(ALLOWED.has(`${from}>${to}`) ? 'done' : REFUSED);
      await client.query("set local app.revive = 'yes'");
      const revived = ALLOWED.has(`${from}>${to}`) || REVIVAL.has(`${from}>${to}`);
      expect(await move(reward, to), 'with app.revive').toBe(revived ? 'done' : REFUSED);
      await client.query("set local app.revive = ''");
      await client.query("set local app.unsettle = 'yes'");
      const unsettled = ALLOWED.has(`${from}>${to}`) || `${from}>${to}` === 'paid>confirmed';
      expect(await move(reward, to), 'with app.unsettle').toBe(unsettled ? 'done' : REFUSED);
    });
  });

  test('no reward is born paid, though an amendment may be', async () => {
    await undone(async () => {
      const conv_id = newId();
      await insert(client, 'conversion_identities', { ...seeded('conversion_identities'), conv_id });
      const born = (status: string, seq: number): Promise<string> =>
        outcome(client, () => insert(client, 'ledger', { ...seeded('ledger'), led_id: newId(), conv_id, seq, status }));
      for (const status of LEDGER) {
        expect(await born(status, 0), status).toBe(status === 'paid' ? REFUSED : 'done');
        expect(await born(status, 1), status).toBe('done');
      }
    });
  });

  test('a status outside the list is refused', async () => {
    await undone(async () => {
      const born = await outcome(client, () =>
        insert(client, 'ledger', { ...seeded('ledger'), led_id: newId(), seq: 7, status: 'approved' }),
      );
      expect(born).toBe('23514');
    });
  });
});

describe('a payout’s statuses', () => {
  const ALLOWED = new Set([
    ...['queued>sending', 'queued>cancelled', 'queued>held'],
    ...['sending>issued', 'sending>error_hard', 'sending>error_soft', 'sending>held', 'sending>cancelled'],
    ...['held>queued', 'held>sending', 'held>cancelled'],
    ...['error_soft>sending', 'error_soft>held', 'error_soft>cancelled', 'error_hard>sending', 'error_hard>cancelled'],
    ...['issued>paid', 'issued>cancelled'],
  ]);

  /** What the table's checks ask of a row with this status. */
  function companions(status: string): Row {
    return {
      status,
      card_may_exist: ['sending', 'issued', 'paid'].includes(status),
      gc_id: ['issued', 'paid'].includes(status) ? 'GC1' : null,
      voucher_code: status === 'issued' ? 'sealed' : null,
      paid_at: status === 'paid' ? ID_TIME : null,
    };
  }

  test.each(pairs(PAYOUTS))('%s -> %s', async (from, to) => {
    await undone(async () => {
      const payout_id = crypto.randomUUID();
      await insert(client, 'payouts', {
        ...seeded('payouts'),
        payout_id,
        creation_request_id: payout_id.replaceAll('-', ''),
        ...companions(from),
      });
      const next = { ...companions(to), ...(['issued', 'paid'].includes(from) ? { gc_id: 'GC1' } : {}) };
      const columns = Object.keys(next);
      const moved = await outcome(client, () =>
        client.query(
          `update payouts set ${columns.map((column, index) => `${column} = $${index + 2}`).join(', ')} where payout_id = $1`,
          [payout_id, ...Object.values(next)],
        ),
      );
      expect(moved).toBe(ALLOWED.has(`${from}>${to}`) ? 'done' : REFUSED);
    });
  });

  test.each([
    ['paid without a time', { ...companions('paid'), paid_at: null }],
    ['issued without a code', { ...companions('issued'), voucher_code: null }],
    ['issued without a gift card', { ...companions('issued'), gc_id: null }],
    ['paid with the code still there', { ...companions('paid'), voucher_code: 'sealed' }],
    ['cancelled with the code still there', { ...companions('cancelled'), voucher_code: 'sealed' }],
    ['sending without card_may_exist (money rule 14)', { ...companions('sending'), card_may_exist: false }],
    ['of nothing', { ...companions('queued'), amount: '0.00' }],
  ])('a payout cannot be %s', async (_name, columns) => {
    await undone(async () => {
      const payout_id = crypto.randomUUID();
      const row = { ...seeded('payouts'), payout_id, creation_request_id: payout_id.replaceAll('-', ''), ...columns };
      expect(await outcome(client, () => insert(client, 'payouts', row))).toBe('23514');
    });
  });
});
